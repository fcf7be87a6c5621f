//! How far a file was read, such that going on from there after a crash loses no line and doubles none.
//!
//! A decoder may still hold lines that belong together, so the place that is kept is the last one at which it held
//! nothing, together with how many items were taken out of it since: reading starts at the place again, and as many
//! items are dropped as were kept before.

/// A place in a file. A name says little, since logs rotate: the file is known by inode and by its first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Device number of the file system.
    pub device: u64,
    /// Inode number; used again by other files once this one is gone.
    pub inode: u64,
    /// CRC-32 of the file's first `head_bytes` bytes: tells a file from a later one on the same inode.
    pub head_crc: u32,
    /// How many of its first bytes the CRC is of.
    pub head_bytes: u16,
    /// Bytes from the start of the file.
    pub offset: u64,
}

/// A place, and how many items decoded behind it are already kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bookmark {
    /// Where to read on.
    pub place: Place,
    /// How many items to drop from there.
    pub skip: u64,
}

/// Length of a bookmark as bytes.
pub const BOOKMARK_BYTES: usize = 38;

impl Bookmark {
    /// Fixed width, little endian.
    pub fn to_bytes(&self) -> [u8; BOOKMARK_BYTES] {
        let Place { device, inode, head_crc, head_bytes, offset } = self.place;
        let mut bytes = [0; BOOKMARK_BYTES];
        bytes[..8].copy_from_slice(&device.to_le_bytes());
        bytes[8..16].copy_from_slice(&inode.to_le_bytes());
        bytes[16..20].copy_from_slice(&head_crc.to_le_bytes());
        bytes[20..22].copy_from_slice(&head_bytes.to_le_bytes());
        bytes[22..30].copy_from_slice(&offset.to_le_bytes());
        bytes[30..].copy_from_slice(&self.skip.to_le_bytes());
        bytes
    }

    /// Reads [`Bookmark::to_bytes`]; nothing when the length is another.
    pub fn from_bytes(bytes: &[u8]) -> Option<Bookmark> {
        let bytes: &[u8; BOOKMARK_BYTES] = bytes.try_into().ok()?;
        let eight = |at: usize| bytes[at..at + 8].try_into().map(u64::from_le_bytes).ok();
        Some(Bookmark {
            place: Place {
                device: eight(0)?,
                inode: eight(8)?,
                head_crc: u32::from_le_bytes(bytes[16..20].try_into().ok()?),
                head_bytes: u16::from_le_bytes(bytes[20..22].try_into().ok()?),
                offset: eight(22)?,
            },
            skip: eight(30)?,
        })
    }
}

/// Follows one file's reading: where the decoder was last empty, and what came out since.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    mark: Option<Place>,
    taken: u64,
    skip: u64,
}

impl Reading {
    /// Reading goes on at a kept bookmark, or from a place without one.
    pub fn resumed(bookmark: Option<Bookmark>) -> Reading {
        Reading {
            mark: bookmark.map(|bookmark| bookmark.place),
            taken: 0,
            skip: bookmark.map_or(0, |bookmark| bookmark.skip),
        }
    }

    /// An item came out of the decoder: whether it is new, and not one that was kept before the restart.
    pub fn take(&mut self) -> bool {
        self.taken += 1;
        self.taken > self.skip
    }

    /// The decoder holds nothing, and the file is read to `place`.
    pub fn emptied_at(&mut self, place: Place) {
        *self = Reading { mark: Some(place), taken: 0, skip: 0 };
    }

    /// What to keep beside the items taken so far.
    pub fn bookmark(&self) -> Option<Bookmark> {
        self.mark.map(|place| Bookmark { place, skip: self.taken.max(self.skip) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(offset: u64) -> Place {
        Place { device: 1, inode: 2, head_crc: 3, head_bytes: 4, offset }
    }

    #[test]
    fn a_bookmark_is_read_back_as_it_was_written() {
        let bookmark = Bookmark { place: place(1 << 40), skip: 7 };
        assert_eq!(Bookmark::from_bytes(&bookmark.to_bytes()), Some(bookmark));
        assert_eq!(Bookmark::from_bytes(&[0; 5]), None);
    }

    #[test]
    fn items_kept_before_a_restart_are_dropped_after_it_and_no_others() {
        let mut reading = Reading::resumed(None);
        reading.emptied_at(place(100));
        assert!(reading.take() && reading.take());
        let kept = reading.bookmark().unwrap();
        assert_eq!(kept, Bookmark { place: place(100), skip: 2 });

        let mut again = Reading::resumed(Some(kept));
        assert!(!again.take());
        assert_eq!(again.bookmark(), Some(kept), "a second crash in between changes nothing");
        assert!(!again.take());
        assert!(again.take());
        assert_eq!(again.bookmark().map(|bookmark| bookmark.skip), Some(3));
        again.emptied_at(place(200));
        assert_eq!(again.bookmark(), Some(Bookmark { place: place(200), skip: 0 }));
    }
}
