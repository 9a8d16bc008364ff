//! How a tar archive is recognised.

use tar::Header;

pub(crate) const BLOCK: usize = 512;

/// Whether bytes begin with a header of tar. Its checksum tells: a text may hold the word `ustar` in the same place.
pub(crate) fn begins_with_header(bytes: &[u8]) -> bool {
    bytes.get(257..262) == Some(b"ustar") && bytes.first_chunk().is_some_and(is_header)
}

/// Whether the checksum of a block is right, of bytes with a sign or, as it should be, without.
pub(crate) fn is_header(block: &[u8; BLOCK]) -> bool {
    let Ok(checksum) = Header::from_byte_slice(block).cksum() else {
        return false;
    };
    let summed = || block[..148].iter().chain(&[b' '; 8]).chain(&block[156..]);
    let unsigned: u32 = summed().map(|byte| u32::from(*byte)).sum();
    let signed: i32 = summed().map(|byte| i32::from(byte.cast_signed())).sum();
    checksum == unsigned || i64::from(checksum) == i64::from(signed)
}
