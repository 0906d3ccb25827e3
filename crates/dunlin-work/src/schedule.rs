//! When tasks can happen: finish-start dependencies with lag, over working calendars; the critical path.
//!
//! It is the critical path method over days, where each task's days are counted in its own calendar. The way back is
//! the exact inverse of the way forth (the latest boundary that still leads to the same end), so slack is the number
//! of working days that a task can really wait. Not here: tasks as people see them (`plan_of` in `board`).

use crate::calendar::{Calendar, DayNumber};

/// A task to be scheduled.
#[derive(Debug, Clone)]
pub struct Node {
    /// Working days that it takes; 0 for a point in time.
    pub days: i32,
    /// Not before this day.
    pub not_before: Option<DayNumber>,
    /// What it waits for: the other's place, and working days in between.
    pub after: Vec<(usize, i32)>,
    /// Its calendar, by place.
    pub calendar: usize,
    /// When it really happened, where it is over: first boundary, last boundary. It waits for nothing then.
    pub actual: Option<(DayNumber, DayNumber)>,
}

/// Where a task lies. Boundaries: it begins at the beginning of `early_start`, and is over at that of `early_finish`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The first day on which it can begin.
    pub early_start: DayNumber,
    /// When it is over then.
    pub early_finish: DayNumber,
    /// The last day on which it can begin.
    pub late_start: DayNumber,
    /// When it is over then.
    pub late_finish: DayNumber,
    /// Working days between the two starts.
    pub slack: i64,
    /// Whether it has none.
    pub critical: bool,
}

/// Tasks wait for each other in a circle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circle;

/// The order in which each task comes after what it waits for.
pub fn order(nodes: &[Node]) -> Result<Vec<usize>, Circle> {
    let mut waits: Vec<usize> = nodes.iter().map(|n| n.after.len()).collect();
    let followers = followers(nodes);
    let mut ready: Vec<usize> = (0..nodes.len()).filter(|i| waits[*i] == 0).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(node) = ready.pop() {
        order.push(node);
        for (follower, _) in &followers[node] {
            waits[*follower] -= 1;
            if waits[*follower] == 0 {
                ready.push(*follower);
            }
        }
    }
    if order.len() == nodes.len() { Ok(order) } else { Err(Circle) }
}

fn followers(nodes: &[Node]) -> Vec<Vec<(usize, i32)>> {
    let mut followers = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        for (before, lag) in &node.after {
            followers[*before].push((at, *lag));
        }
    }
    followers
}

/// The boundary that lies so many working days after (or before, when negative) another.
pub fn lagged(calendar: &Calendar, boundary: DayNumber, lag: i32) -> DayNumber {
    match lag {
        0 => boundary,
        1.. => calendar.nth_from(boundary, lag) + 1,
        _ => calendar.nth_before(boundary, -lag),
    }
}

/// The latest boundary from which the lag leads no further than `to`, a working day or the end.
fn unlagged(calendar: &Calendar, to: DayNumber, lag: i32) -> DayNumber {
    match lag {
        0 => to,
        1.. => calendar.nth_before(to, lag),
        _ => calendar.nth_from(to + 1, -lag),
    }
}

/// The early start and finish of each task; nothing begins before `today`.
pub fn forward(
    nodes: &[Node],
    calendars: &[&Calendar],
    order: &[usize],
    today: DayNumber,
) -> Vec<(DayNumber, DayNumber)> {
    let finish = |at: usize, start: DayNumber| calendars[nodes[at].calendar].finish(start, nodes[at].days);
    forward_by(nodes, calendars, order, today, finish)
}

/// The same, where another says when a task that begins on a day is finished.
pub fn forward_by(
    nodes: &[Node],
    calendars: &[&Calendar],
    order: &[usize],
    today: DayNumber,
    mut finish: impl FnMut(usize, DayNumber) -> DayNumber,
) -> Vec<(DayNumber, DayNumber)> {
    let mut places = vec![(today, today); nodes.len()];
    for at in order {
        let node = &nodes[*at];
        if let Some(actual) = node.actual {
            places[*at] = actual;
            continue;
        }
        let calendar = calendars[node.calendar];
        let mut from = node.not_before.map_or(today, |day| day.max(today));
        for (before, lag) in &node.after {
            from = from.max(lagged(calendar, places[*before].1, *lag));
        }
        let start = if node.days > 0 { calendar.next(from) } else { from };
        places[*at] = (start, finish(*at, start));
    }
    places
}

/// The whole schedule.
pub fn schedule(nodes: &[Node], calendars: &[&Calendar], today: DayNumber) -> Result<Vec<Place>, Circle> {
    let order = order(nodes)?;
    let early = forward(nodes, calendars, &order, today);
    let open = |at: usize| nodes[at].actual.is_none();
    let end = (0..nodes.len()).filter(|at| open(*at)).map(|at| early[at].1).max().unwrap_or(today);
    let followers = followers(nodes);
    let mut late = vec![(end, end); nodes.len()];
    for at in order.iter().rev() {
        let node = &nodes[*at];
        if node.actual.is_some() {
            late[*at] = early[*at];
            continue;
        }
        let latest = |(follower, lag): &(usize, i32)| {
            let calendar = calendars[nodes[*follower].calendar];
            unlagged(calendar, late[*follower].0, *lag)
        };
        let bound = followers[*at].iter().filter(|(f, _)| open(*f)).map(latest).min();
        let finish = bound.map_or(end, |b| b.min(end));
        let calendar = calendars[node.calendar];
        let start = if node.days > 0 { calendar.nth_before(finish, node.days) } else { finish };
        late[*at] = (start, finish);
    }
    let place = |at: usize| {
        let (early, late) = (early[at], late[at]);
        let slack = calendars[nodes[at].calendar].count(early.0, late.0);
        Place {
            early_start: early.0,
            early_finish: early.1,
            late_start: late.0,
            late_finish: late.1,
            slack,
            critical: slack == 0 && nodes[at].actual.is_none(),
        }
    };
    Ok((0..nodes.len()).map(place).collect())
}
