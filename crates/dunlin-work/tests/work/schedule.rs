//! The critical path against a computation that knows nothing of it: starts by relaxing until nothing moves (Bellman and
//! Ford), slack by really delaying each task.

use std::collections::BTreeSet;

use dunlin_work::calendar::{Calendar, DayNumber};
use dunlin_work::schedule::{Node, schedule};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

const TODAY: DayNumber = 20_000;

/// Working days by a plain list, and nothing else.
struct Days(Vec<DayNumber>);

impl Days {
    fn of(calendar: &Calendar) -> Days {
        Days((TODAY - 400..TODAY + 2000).filter(|d| calendar.works(*d)).collect())
    }

    fn from(&self, day: DayNumber) -> usize {
        self.0.partition_point(|d| *d < day)
    }

    fn start(&self, bound: DayNumber, days: i32) -> DayNumber {
        if days == 0 { bound } else { self.0[self.from(bound)] }
    }

    fn finish(&self, start: DayNumber, days: i32) -> DayNumber {
        if days == 0 { start } else { self.0[self.from(start) + days as usize - 1] + 1 }
    }

    fn lag(&self, bound: DayNumber, lag: i32) -> DayNumber {
        match lag {
            0 => bound,
            1.. => self.0[self.from(bound) + lag as usize - 1] + 1,
            _ => self.0[self.from(bound) - lag.unsigned_abs() as usize],
        }
    }
}

/// Starts and finishes, with one task held back until a boundary.
fn relax(nodes: &[Node], days: &[Days], held: Option<(usize, DayNumber)>) -> Vec<(DayNumber, DayNumber)> {
    let mut starts = vec![TODAY; nodes.len()];
    loop {
        let mut moved = false;
        for (at, node) in nodes.iter().enumerate() {
            let own = &days[node.calendar];
            let mut bound = node.not_before.unwrap_or(TODAY).max(TODAY);
            for (before, lag) in &node.after {
                let finish = days[nodes[*before].calendar].finish(starts[*before], nodes[*before].days);
                bound = bound.max(own.lag(finish, *lag));
            }
            if let Some((_, until)) = held.filter(|(held, _)| *held == at) {
                bound = bound.max(until);
            }
            let start = own.start(bound, node.days);
            if start != starts[at] {
                starts[at] = start;
                moved = true;
            }
        }
        if !moved {
            let finish = |(at, start): (usize, &DayNumber)| {
                (*start, days[nodes[at].calendar].finish(*start, nodes[at].days))
            };
            return starts.iter().enumerate().map(finish).collect();
        }
    }
}

fn end(places: &[(DayNumber, DayNumber)]) -> DayNumber {
    places.iter().map(|(_, finish)| *finish).max().unwrap()
}

fn slack(nodes: &[Node], days: &[Days], at: usize, early: &[(DayNumber, DayNumber)]) -> i64 {
    let own = &days[nodes[at].calendar];
    let mut slack = 0;
    loop {
        let (start, later) = (early[at].0, slack as usize);
        let until = match nodes[at].days {
            0 => own.0[own.from(start) + later] + 1,
            _ => own.0[own.from(start) + later + 1],
        };
        if end(&relax(nodes, days, Some((at, until)))) > end(early) {
            return slack;
        }
        slack += 1;
    }
}

fn graphs() -> impl Strategy<Value = (Vec<Node>, Vec<Calendar>)> {
    let calendar = (any::<[bool; 7]>(), prop::collection::btree_set(TODAY..TODAY + 30, 0..5))
        .prop_map(|(week, off)| Calendar::new(week, off.into_iter().collect::<BTreeSet<_>>()));
    let node =
        (0..5i32, prop::option::weighted(0.3, TODAY - 5..TODAY + 15), 0..2usize, any::<[(bool, i8); 7]>());
    (prop::collection::vec(node, 1..8), prop::collection::vec(calendar, 2)).prop_map(|(raw, calendars)| {
        let nodes = raw.into_iter().enumerate().map(|(at, (days, not_before, calendar, links))| {
            let earlier = links.into_iter().enumerate().take(at).filter(|(_, (on, _))| *on);
            let after =
                earlier.map(|(before, (_, lag))| (before, i32::from(lag).rem_euclid(6) - 2)).collect();
            Node { days, not_before, after, calendar, actual: None }
        });
        (nodes.collect(), calendars)
    })
}

#[test]
fn ten_thousand_random_graphs_have_the_same_critical_path_either_way() {
    let mut runner = TestRunner::new(Config { cases: 10_000, ..Config::default() });
    let checked = runner.run(&graphs(), |(nodes, calendars)| {
        let all: Vec<&Calendar> = calendars.iter().collect();
        let days: Vec<Days> = calendars.iter().map(Days::of).collect();
        let places = schedule(&nodes, &all, TODAY).unwrap();
        let early = relax(&nodes, &days, None);
        for (at, place) in places.iter().enumerate() {
            prop_assert_eq!((place.early_start, place.early_finish), early[at], "task {}", at);
            let slack = slack(&nodes, &days, at, &early);
            prop_assert_eq!(place.slack, slack, "slack of task {}", at);
            prop_assert_eq!(place.critical, slack == 0);
        }
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn circles_are_said_and_not_walked() {
    let node =
        |after: Vec<(usize, i32)>| Node { days: 1, not_before: None, after, calendar: 0, actual: None };
    let calendar = Calendar::default();
    assert!(schedule(&[node(vec![(1, 0)]), node(vec![(0, 0)])], &[&calendar], TODAY).is_err());
}
