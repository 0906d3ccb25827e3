//! `GET /api/v1/events`: server-sent events. Each event is held against the caller's rights when it is sent, the
//! stream resumes after `Last-Event-ID`, and it ends when its session does.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use dunlin_guard::{Action, Resource, Who};
use futures::{Stream, stream};
use tokio::sync::broadcast::error::RecvError;

use super::hub::{Event, Subscription};
use super::watch::Watched;
use crate::app::App;
use crate::gate::Caller;
use crate::limits::Seat;
use crate::problem::Problem;

/// Between two signs of life.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long an answer about the caller's rights is believed.
const RIGHTS_FOR: Duration = Duration::from_secs(2);

/// The stream.
pub(crate) async fn events(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seat = app.streams.take(&caller.who.person).ok_or_else(|| {
        let title = "too many event streams of one person at a time";
        Problem::new(axum::http::StatusCode::TOO_MANY_REQUESTS, "too_many_streams", title)
            .help("close pages that are not looked at")
            .after(10)
    })?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let subscription = app.hub.subscribe(last);
    let watched = app.watch.add(&caller.who.via);
    app.metrics.streams.inc();
    let listener = Listener {
        rights: HashMap::new(),
        first: first_frames(&app, &subscription),
        queue: subscription.missed.clone().into(),
        subscription,
        watched,
        who: caller.who,
        app,
        over: false,
        _seat: seat,
    };
    let frames =
        Sse::new(frames(listener)).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("still here"));
    let mut response = frames.into_response();
    // A proxy that gathers the answer before it passes it on would make it anything but live.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
    Ok(response)
}

fn first_frames(app: &App, subscription: &Subscription) -> Vec<Frame> {
    let newest = app.hub.id_of(app.hub.newest());
    let mut first = Vec::new();
    if subscription.gap {
        let data = r#"{"why":"more was missed than is kept; read everything again"}"#;
        first.push(Frame::default().event("reset").id(newest.clone()).data(data));
    } else if subscription.missed.is_empty() {
        first.push(Frame::default().event("hello").id(newest).data("{}"));
    }
    // Frames are taken from the end.
    first.push(Frame::default().retry(Duration::from_secs(2)).comment("dunlin"));
    first
}

/// What a listener has waited for.
enum Turn {
    Ended,
    Drain,
    Event(Arc<Event>),
    Lagged,
    Closed,
}

struct Listener {
    app: App,
    who: Who,
    first: Vec<Frame>,
    queue: std::collections::VecDeque<Arc<Event>>,
    subscription: Subscription,
    watched: Watched,
    rights: HashMap<Action, (bool, Instant)>,
    over: bool,
    _seat: Seat<String>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.app.metrics.streams.dec();
    }
}

fn frames(listener: Listener) -> impl Stream<Item = Result<Frame, Infallible>> {
    stream::unfold(listener, |mut listener| async move {
        let frame = listener.next().await?;
        Some((Ok(frame), listener))
    })
}

impl Listener {
    async fn next(&mut self) -> Option<Frame> {
        if self.over {
            return None;
        }
        if let Some(frame) = self.first.pop() {
            return Some(frame);
        }
        loop {
            if self.watched.has_ended() {
                return Some(self.last("ended", r#"{"why":"the session has ended"}"#));
            }
            if let Some(event) = self.queue.pop_front() {
                if self.may_hear(&event).await {
                    return Some(self.frame(&event));
                }
                continue;
            }
            match self.wait().await {
                Turn::Ended => {}
                Turn::Drain => return Some(self.last("drain", r#"{"why":"the server stops; come back"}"#)),
                Turn::Event(event) => self.queue.push_back(event),
                Turn::Lagged => {
                    let id = self.app.hub.id_of(self.app.hub.newest());
                    let data = r#"{"why":"this client was too slow; read everything again"}"#;
                    return Some(Frame::default().event("reset").id(id).data(data));
                }
                Turn::Closed => return None,
            }
        }
    }

    async fn wait(&mut self) -> Turn {
        tokio::select! {
            biased;
            () = self.watched.ended() => Turn::Ended,
            drained = async { self.subscription.draining.wait_for(|d| *d).await.is_ok() } => {
                if drained { Turn::Drain } else { Turn::Closed }
            }
            event = self.subscription.live.recv() => match event {
                Ok(event) => Turn::Event(event),
                Err(RecvError::Lagged(_)) => Turn::Lagged,
                Err(RecvError::Closed) => Turn::Closed,
            },
        }
    }

    fn last(&mut self, kind: &'static str, data: &'static str) -> Frame {
        self.over = true;
        Frame::default().event(kind).data(data)
    }

    async fn may_hear(&mut self, event: &Event) -> bool {
        if event.about.as_deref() == Some(self.who.person.as_str()) {
            return true;
        }
        if event.only {
            return false;
        }
        let known = self.rights.get(&event.needs).filter(|(_, at)| at.elapsed() < RIGHTS_FOR);
        if let Some((allowed, _)) = known {
            return *allowed;
        }
        // The role may have changed since the stream began.
        if let Ok(person) = self.app.guard.person(&self.who.person).await {
            self.who.role = person.role;
            self.who.organisation = person.organisation;
        }
        let resource = match event.needs.subject() {
            dunlin_guard::Subject::Plan => Resource::plan(),
            dunlin_guard::Subject::Notice => Resource::notice(),
            dunlin_guard::Subject::Owned => Resource::of(&self.who.person),
            dunlin_guard::Subject::Person => Resource::person(&self.who.person),
            _ => Resource::Workspace,
        };
        let allowed = self.app.authority.may(&self.who, event.needs, &resource).allowed;
        self.rights.insert(event.needs, (allowed, Instant::now()));
        allowed
    }

    fn frame(&self, event: &Event) -> Frame {
        let id = self.app.hub.id_of(event.number);
        Frame::default().event(event.kind).id(id).data(event.data.to_string())
    }
}
