use super::{Disk, DiskLimits};

#[test]
fn the_disk_is_judged_by_the_share_that_is_used() {
    let judge = |available| DiskLimits::default().judge(1000, available, available);
    assert_eq!(judge(1000), Disk::Green);
    assert_eq!(judge(151), Disk::Green);
    assert_eq!(judge(150), Disk::Amber);
    assert_eq!(judge(51), Disk::Amber);
    assert_eq!(judge(50), Disk::Red);
    assert_eq!(judge(0), Disk::Red);
}

/// A fifth of this disk is kept back for the system.
#[test]
fn what_is_kept_back_is_neither_used_nor_to_be_had() {
    let judge = |free| DiskLimits::default().judge(1000, free, free - 200);
    assert_eq!(judge(1000), Disk::Green);
    assert_eq!(judge(330), Disk::Green);
    assert_eq!(judge(320), Disk::Amber);
    assert_eq!(judge(241), Disk::Amber);
    assert_eq!(judge(240), Disk::Red);
}

#[test]
fn a_disk_that_tells_nonsense_is_not_divided_by() {
    assert_eq!(DiskLimits::default().judge(0, 0, 0), Disk::Red);
    assert_eq!(DiskLimits::default().judge(1, u64::MAX, u64::MAX), Disk::Green);
}
