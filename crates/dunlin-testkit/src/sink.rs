//! A mail server that takes letters and keeps them, as they come: it forgets one whose final dot never came, and knows
//! no duplicate from another letter.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A letter as it came.
#[derive(Clone, Debug)]
pub struct SunkLetter {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's receiver.
    pub to: String,
    /// The letter, dots unstuffed, with its line ends.
    pub data: Vec<u8>,
    /// When its dot came.
    pub at: Instant,
}

/// What a server answers to a receiver: `rcpt` to the address, `dot` to the letter; `None` is yes. Told how often it was
/// asked for this address before.
pub type Answer = dyn Fn(&str, u32) -> Option<&'static str> + Send + Sync;

/// How a sink behaves.
#[derive(Clone)]
pub struct SinkBehaviour {
    /// The answer to RCPT.
    pub rcpt: Arc<Answer>,
    /// The answer to the final dot.
    pub dot: Arc<Answer>,
    /// How long it thinks between the dot and its answer; it has the letter already.
    pub thinks: Duration,
    /// Whether letters are kept whole; otherwise only their receivers.
    pub keeps: bool,
}

impl Default for SinkBehaviour {
    fn default() -> SinkBehaviour {
        SinkBehaviour {
            rcpt: Arc::new(|_, _| None),
            dot: Arc::new(|_, _| None),
            thinks: Duration::ZERO,
            keeps: true,
        }
    }
}

/// A mail server of a test's own; it ends with the test's process.
#[derive(Clone)]
pub struct MailSink {
    port: u16,
    letters: Arc<Mutex<Vec<SunkLetter>>>,
    count: Arc<AtomicU64>,
}

impl MailSink {
    /// Starts one on a free port of this machine.
    pub fn start(behaviour: SinkBehaviour) -> MailSink {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        let sink = MailSink { port, letters: Arc::default(), count: Arc::default() };
        let own = sink.clone();
        let asked = Arc::new(Mutex::new(HashMap::<String, u32>::new()));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (sink, behaviour, asked) = (own.clone(), behaviour.clone(), asked.clone());
                std::thread::spawn(move || sink.serve(&socket, &behaviour, &asked));
            }
        });
        sink
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Letters that it has taken.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// The letters, in the order in which they came.
    pub fn letters(&self) -> Vec<SunkLetter> {
        self.letters.lock().expect("the letters").clone()
    }

    /// How often each receiver got one.
    pub fn times(&self) -> HashMap<String, u32> {
        let mut times = HashMap::new();
        for letter in self.letters.lock().expect("the letters").iter() {
            *times.entry(letter.to.clone()).or_default() += 1;
        }
        times
    }

    /// Speaks with one client until it goes away.
    fn serve(
        &self,
        socket: &TcpStream,
        behaviour: &SinkBehaviour,
        asked: &Mutex<HashMap<String, u32>>,
    ) -> Option<()> {
        let _ = socket.set_nodelay(true);
        let mut read = BufReader::new(socket.try_clone().ok()?);
        let mut write = socket;
        let mut say = |text: &str| write.write_all(format!("{text}\r\n").as_bytes()).ok();
        say("220 sink")?;
        let (mut from, mut to) = (String::new(), String::new());
        let mut line = Vec::new();
        loop {
            line.clear();
            if read.read_until(b'\n', &mut line).ok()? == 0 {
                return None;
            }
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let verb = text.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let address = || {
                let inner = text.split_once('<').map(|(_, rest)| rest);
                inner
                    .and_then(|rest| rest.split_once('>'))
                    .map(|(inner, _)| inner.to_owned())
                    .unwrap_or_default()
            };
            match verb.as_str() {
                "EHLO" | "HELO" => say("250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8")?,
                "MAIL" => {
                    from = address();
                    say("250 ok")?;
                }
                "RCPT" => {
                    to = address();
                    let before = {
                        let mut asked = asked.lock().expect("the count");
                        let times = asked.entry(to.clone()).or_default();
                        *times += 1;
                        *times - 1
                    };
                    say((behaviour.rcpt)(&to, before).unwrap_or("250 ok"))?;
                }
                "DATA" => {
                    say("354 go on")?;
                    let data = data(&mut read)?;
                    let before = asked.lock().expect("the count").get(&to).map_or(0, |times| times - 1);
                    let answer = (behaviour.dot)(&to, before);
                    if answer.is_none() {
                        let data = if behaviour.keeps { data } else { Vec::new() };
                        let letter =
                            SunkLetter { from: from.clone(), to: to.clone(), data, at: Instant::now() };
                        self.letters.lock().expect("the letters").push(letter);
                        self.count.fetch_add(1, Ordering::SeqCst);
                    }
                    std::thread::sleep(behaviour.thinks);
                    say(answer.unwrap_or("250 taken"))?;
                }
                "QUIT" => {
                    say("221 bye")?;
                    return Some(());
                }
                _ => say("250 ok")?,
            }
        }
    }
}

/// A letter to its final dot; none when the client went away before.
fn data(read: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut data = Vec::new();
    let mut line = Vec::new();
    loop {
        line.clear();
        if read.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        if line == b".\r\n" {
            return Some(data);
        }
        data.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
