use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use super::Aside;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn it_is_asked_at_first_and_when_something_has_come_of_it() {
    let (mut aside, task) = (Aside::default(), Arc::new(Woken::default()));
    let waker = Waker::from(task.clone());
    let mut given = None;
    let mut ask = |aside: &mut Aside, waker: &Waker, answer: Poll<()>| {
        let mut asked = false;
        let _ = aside.poll(&mut Context::from_waker(waker), |context| {
            given = Some(context.waker().clone());
            asked = true;
            answer
        });
        (asked, given.clone())
    };
    let (asked, given) = ask(&mut aside, &waker, Poll::Pending);
    assert!(asked, "at first");
    assert!(!ask(&mut aside, &waker, Poll::Pending).0, "the task woke for something else");
    given.unwrap().wake();
    assert_eq!(task.0.load(Ordering::Relaxed), 1, "the task is woken");
    assert!(ask(&mut aside, &waker, Poll::Ready(())).0, "it rang");
    assert!(ask(&mut aside, &waker, Poll::Pending).0, "it was ready, and may be so still");
    assert!(!ask(&mut aside, &waker, Poll::Pending).0);
    aside.ring();
    assert!(ask(&mut aside, &waker, Poll::Pending).0, "what is asked has changed");

    let other = Arc::new(Woken::default());
    let (asked, given) = ask(&mut aside, &Waker::from(other.clone()), Poll::Pending);
    assert!(asked, "another task has to be told");
    given.unwrap().wake();
    assert_eq!((task.0.load(Ordering::Relaxed), other.0.load(Ordering::Relaxed)), (1, 1));
}
