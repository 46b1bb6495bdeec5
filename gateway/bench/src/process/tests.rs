use super::*;

#[test]
fn a_name_with_brackets_and_spaces_does_not_confuse_the_cpu_time() {
    let stat = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 150 30 0 0 20 0 1 0";
    assert_eq!(Cpu::parse(stat), Some(Cpu { user: 1_500_000, system: 300_000 }));
    assert_eq!(Cpu::parse("42 (a"), None);
}

#[test]
fn memory_is_read_in_kibibytes() {
    let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
    assert_eq!(Memory::parse(status), Some(Memory { now: 1024, peak: 2048 }));
    assert_eq!(Memory::parse("Name:\tx\n"), None);
}

#[test]
fn this_process_can_be_looked_at() {
    let pid = std::process::id();
    assert!(Cpu::of(pid).is_ok());
    assert!(Memory::of(pid).expect("memory").peak > 0);
    assert!(open_files().is_some());
}

#[test]
fn a_program_is_looked_up_as_a_shell_does() {
    assert!(is_there("sh"));
    assert!(!is_there("no-such-program-here"));
    assert!(!is_there("/no/such/program"));
}

#[test]
fn the_time_of_ended_children_stands_behind_that_of_the_process() {
    let stat = "42 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 150 30 7 5 20 0 1 0";
    assert_eq!(Cpu::parse_from(stat, 13), Some(Cpu { user: 70_000, system: 50_000 }));
}
