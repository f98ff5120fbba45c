//! How a picture must be turned to be seen upright.

/// Clockwise turn that the viewer has to make.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rotation {
    /// Upright as it is.
    None,
    /// A quarter.
    Quarter,
    /// Upside down.
    Half,
    /// Three quarters.
    ThreeQuarters,
}

/// Coordination of video orientation (3GPP TS 26.114 §7.4.5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct VideoOrientation {
    /// C: the camera that looks away from its user.
    pub back_camera: bool,
    /// F: mirrored horizontally.
    pub flipped: bool,
    /// R1, R0.
    pub rotation: Rotation,
}

impl VideoOrientation {
    /// Reads an element's value: one byte, of which the upper four bits mean nothing.
    pub const fn parse(value: &[u8]) -> Option<Self> {
        let [v] = value else { return None };
        let rotation = match *v & 3 {
            0 => Rotation::None,
            1 => Rotation::Quarter,
            2 => Rotation::Half,
            _ => Rotation::ThreeQuarters,
        };
        Some(Self { back_camera: *v & 8 != 0, flipped: *v & 4 != 0, rotation })
    }

    /// The element's value.
    pub const fn write(self) -> [u8; 1] {
        [(self.back_camera as u8) << 3 | (self.flipped as u8) << 2 | self.rotation as u8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_low_four_bits_are_read_and_written_back() {
        for b in 0..=255u8 {
            assert_eq!(VideoOrientation::parse(&[b]).unwrap().write(), [b & 15]);
        }
        assert_eq!(VideoOrientation::parse(&[0, 0]), None);
    }
}
