//! Named outcomes: the one way in which the crates of this workspace say why.

/// Defines a fieldless enum whose variants have a name and a place in a list, and so can each index a counter:
/// `ALL[reason as usize] == reason`. Attributes of the enum and its variants are passed on,
/// `#[non_exhaustive]` among them.
///
/// ```
/// salon_rtp::reasons! {
///     /// Why nothing happened.
///     pub enum Idle {
///         /// Nobody asked.
///         Unasked = "unasked",
///         /// It is Sunday.
///         Sunday = "sunday",
///     }
/// }
/// assert_eq!(Idle::ALL, [Idle::Unasked, Idle::Sunday]);
/// assert_eq!(Idle::COUNT, 2);
/// assert_eq!(Idle::Sunday.name(), "sunday");
/// ```
#[macro_export]
macro_rules! reasons {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// All of them, in the order of their counters: `ALL[r as usize] == r`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// How many there are.
            pub const COUNT: usize = [$($text,)+].len();

            /// Its name in metrics, interfaces and logs.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}
