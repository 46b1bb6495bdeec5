use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::{AppendError, Disk, Queue, Receipt};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn what_does_not_fit_is_refused_and_what_waits_stays() {
    let queue = Queue::new(7, 200);
    let first = queue.push(&[1; 100]).expect("fits");
    assert_eq!(queue.push(&[2; 100]).err(), Some(AppendError::Full));
    let waiting = queue.take().expect("one entry");
    assert_eq!((waiting.first, waiting.leaves.len()), (7, 1));
    let second = queue.push(&[2; 100]).expect("there is room again");
    waiting.batch.end(Ok(()));
    assert_eq!(first.wait(), Ok(Receipt { index: 7 }));
    queue.take().expect("the second").batch.end(Ok(()));
    assert_eq!(second.wait(), Ok(Receipt { index: 8 }));
}

#[test]
fn an_entry_has_a_byte_at_least_and_no_more_than_its_length_can_tell() {
    let queue = Queue::new(0, 1 << 20);
    assert_eq!(queue.push(&[]).err(), Some(AppendError::Size));
    assert_eq!(queue.push(&[0; 65_536]).err(), Some(AppendError::Size));
    assert!(queue.push(&[0; 65_535]).is_ok());
}

#[test]
fn whoever_awaits_is_woken_once_and_by_the_waker_shown_last() {
    let queue = Queue::new(0, 1000);
    let (early, late) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let mut queued = pin!(queue.push(b"entry").expect("fits"));
    for waker in [&early, &early, &late] {
        let waker = Waker::from(Arc::clone(waker));
        assert!(queued.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    queue.take().expect("the entry").batch.end(Ok(()));
    assert_eq!(early.0.load(Ordering::SeqCst), 0);
    assert_eq!(late.0.load(Ordering::SeqCst), 1);
    let ready = queued.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(ready, Poll::Ready(Ok(Receipt { index: 0 })));
}

#[test]
fn a_queue_that_failed_tells_everybody() {
    let queue = Queue::new(0, 1000);
    let queued = queue.push(b"entry").expect("fits");
    queue.stop(AppendError::Closed);
    queue.stop(AppendError::Failed);
    assert_eq!(queued.wait(), Err(AppendError::Failed));
    assert_eq!(queue.push(b"entry").err(), Some(AppendError::Failed));
    assert!(queue.take().is_none() && queue.failed());
}

#[test]
fn a_queue_that_is_closed_still_gives_what_waits() {
    let queue = Queue::new(0, 1000);
    let queued = queue.push(b"entry").expect("fits");
    queue.stop(AppendError::Closed);
    assert_eq!(queue.push(b"entry").err(), Some(AppendError::Closed));
    queue.take().expect("the entry").batch.end(Ok(()));
    assert!(queue.take().is_none());
    assert!(queued.wait().is_ok());
}

#[test]
fn a_full_disk_refuses_until_there_is_room() {
    let queue = Queue::new(0, 1000);
    queue.set_disk(Disk::Red);
    assert_eq!(queue.push(b"entry").err(), Some(AppendError::Disk));
    queue.set_disk(Disk::Amber);
    assert!(queue.push(b"entry").is_ok());
}
