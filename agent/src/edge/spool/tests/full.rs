//! A full disk, on a small file system in memory where this process may mount one.

use super::*;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// A mounted file system of a few MB; gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// Nothing where this process may not mount.
    fn mount(mb: u64) -> Option<SmallDisk> {
        let directory = tempfile::tempdir().ok()?;
        let path = CString::new(directory.path().as_os_str().as_bytes()).ok()?;
        let options = CString::new(format!("size={mb}m")).ok()?;
        // SAFETY: all texts end in a zero and outlive the call.
        let result = unsafe {
            libc::mount(
                c"tmpfs".as_ptr(),
                path.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                options.as_ptr().cast(),
            )
        };
        (result == 0).then_some(SmallDisk(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Fills the disk but for `left` bytes.
    fn fill_up(&self, left: u64) {
        let free = disk::free_bytes(self.path()).unwrap();
        let bytes = vec![7; usize::try_from(free.saturating_sub(left)).unwrap()];
        fs::write(self.path().join("others"), bytes).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.path().join("others")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let path = CString::new(self.path().as_os_str().as_bytes()).expect("no zero in it");
        // SAFETY: the path ends in a zero and outlives the call.
        unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
    }
}

#[test]
fn a_full_disk_costs_nothing_and_is_left_behind_when_there_is_room() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let place = disk.path().join("spool");
    let mut spool = open(&place);
    fill(&mut spool, 1, 50);
    let before = everything(&mut spool);
    disk.fill_up(0);
    let refused = spool.keeper.carry_out(append(group(501, 10))).unwrap();
    assert!(matches!(refused, StorageAnswer::Refused { .. }), "{refused:?}");
    assert_eq!(everything(&mut spool), before, "what is held can be read");
    let removed = spool.keeper.carry_out(StorageOrder::Remove { through: Seq(100) }).unwrap();
    assert!(matches!(removed, StorageAnswer::Holds(_)), "{removed:?}");
    drop(spool);
    // A restart in the middle of it: the ballast's room is enough to open.
    let mut spool = open(&place);
    assert!(check_accounts(&everything(&mut spool), 101).is_empty());
    let refused = spool.keeper.carry_out(append(group(501, 10))).unwrap();
    assert!(matches!(refused, StorageAnswer::Refused { .. }), "{refused:?}");
    disk.make_room();
    fill(&mut spool, 501, 10);
    assert!(disk::has_ballast(&settings(&place)), "set aside anew");
    drop(spool);
    let mut spool = open(&place);
    let groups = everything(&mut spool);
    assert!(check_accounts(&groups, 101).is_empty());
    assert_eq!(groups.last().unwrap().end_seq(), Seq(601));
}

#[test]
fn a_disk_that_fills_up_under_the_store_itself_is_survived() {
    let Some(disk) = SmallDisk::mount(24) else { return };
    let place = disk.path().join("spool");
    let mut careless = settings(&place);
    // Without a reserve only the ballast stands between the store and the full disk.
    careless.reserve_bytes = 0;
    let mut spool = open::open(&careless, NEW_EPOCH).unwrap();
    fill(&mut spool, 1, 20);
    disk.fill_up(600 * 1024);
    let mut next = 201;
    let mut refusals = 0;
    while refusals < 5 && next < 100_000 {
        match spool.keeper.carry_out(append(group(next, 40))).unwrap() {
            StorageAnswer::Stored { .. } => next += 40,
            StorageAnswer::Refused { .. } => refusals += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refusals, 5, "the disk was never full");
    assert!(check_accounts(&everything(&mut spool), 1).is_empty());
    disk.make_room();
    let answer = spool.keeper.carry_out(append(group(next, 10))).unwrap();
    assert!(matches!(answer, StorageAnswer::Stored { .. }), "{answer:?}");
    drop(spool);
    let mut spool = open(&place);
    let groups = everything(&mut spool);
    assert!(check_accounts(&groups, 1).is_empty());
    assert_eq!(groups.last().unwrap().end_seq(), Seq(next + 10));
}
