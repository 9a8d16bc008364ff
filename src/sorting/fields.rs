//! The fields of sorted records as bytes of a scratch file, which this process alone reads.

use chrono::{Datelike, NaiveDate};

use crate::choice::Choice as _;
use crate::schema::{Flags, PublicationKind, PublicationStatus};

/// A field of a record as bytes.
pub trait SortField: Sized {
    /// The bytes that it holds in memory beside its own.
    fn heap(&self) -> usize {
        0
    }

    /// Appends it as bytes.
    fn write(&self, bytes: &mut Vec<u8>);

    /// Takes a field that [`SortField::write`] wrote off the front; `None` if the bytes do not begin with one.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

/// Implements [`SortRecord`](super::SortRecord) for a struct whose fields are all [`SortField`]s, in the order of its bytes.
#[cfg(feature = "tables")]
macro_rules! sort_record {
    ($record:ident { $($field:ident),+ }) => {
        impl $crate::sorting::SortRecord for $record {
            fn heap(&self) -> usize {
                0 $(+ $crate::sorting::SortField::heap(&self.$field))+
            }

            fn write(&self, bytes: &mut Vec<u8>) {
                $($crate::sorting::SortField::write(&self.$field, bytes);)+
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::sorting::SortField::read(bytes)?),+ })
            }
        }
    };
}
#[cfg(feature = "tables")]
pub(crate) use sort_record;

/// Takes some bytes off the front.
pub fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}

macro_rules! number_fields {
    ($($number:ty)+) => {
        $(impl SortField for $number {
            fn write(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes).map(Self::from_le_bytes)
            }
        })+
    };
}

number_fields! { u8 u16 u32 u64 i32 i64 }

impl SortField for bool {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(u8::from(*self));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some(take(bytes)? != [0])
    }
}

impl SortField for [u64; 2] {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.iter().for_each(|number| number.write(bytes));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some([SortField::read(bytes)?, SortField::read(bytes)?])
    }
}

impl SortField for Flags {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.bits().write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        SortField::read(bytes).map(Self::from_bits)
    }
}

impl SortField for PublicationKind {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(*self as u8);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Self::of_number(SortField::read(bytes)?)
    }
}

impl SortField for PublicationStatus {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.push(*self as u8);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let [number] = take(bytes)?;
        Self::CHOICES.get(usize::from(number)).copied()
    }
}

impl SortField for NaiveDate {
    fn write(&self, bytes: &mut Vec<u8>) {
        self.num_days_from_ce().write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Self::from_num_days_from_ce_opt(SortField::read(bytes)?)
    }
}

macro_rules! text_fields {
    ($($text:ty)+) => {
        $(impl SortField for $text {
            /// A text of its own takes its bytes and what the allocator needs to know of it.
            fn heap(&self) -> usize {
                self.len().next_multiple_of(16) + 16
            }

            fn write(&self, bytes: &mut Vec<u8>) {
                (self.len() as u64).write(bytes);
                bytes.extend_from_slice(self.as_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                let length = usize::try_from(u64::read(bytes)?).ok()?;
                let (text, rest) = bytes.split_at_checked(length)?;
                *bytes = rest;
                Some(std::str::from_utf8(text).ok()?.into())
            }
        })+
    };
}

text_fields! { Box<str> String }

impl<T: SortField> SortField for Option<T> {
    fn heap(&self) -> usize {
        self.as_ref().map_or(0, SortField::heap)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        self.is_some().write(bytes);
        self.iter().for_each(|field| field.write(bytes));
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match bool::read(bytes)? {
            true => T::read(bytes).map(Some),
            false => Some(None),
        }
    }
}

impl<A: SortField, B: SortField> SortField for (A, B) {
    fn heap(&self) -> usize {
        self.0.heap() + self.1.heap()
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        self.0.write(bytes);
        self.1.write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        Some((SortField::read(bytes)?, SortField::read(bytes)?))
    }
}

impl<T: SortField> SortField for Box<T> {
    fn heap(&self) -> usize {
        size_of::<T>() + (**self).heap()
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        (**self).write(bytes);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        T::read(bytes).map(Self::new)
    }
}
