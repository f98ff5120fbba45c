//! From the network to the cache: the receiving half of the room.
