//! A server on loopback that answers as a test says: AWS's own answers, where the emulator has none.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};

use super::Surroundings;

/// What is answered to a question: its status and its text.
pub(crate) type Answer = (u16, String);

/// The server. It ends with the tests' process.
#[derive(Debug)]
pub(crate) struct Scripted {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// Answers each question by its action (`LookupEvents`) and its body.
    pub(crate) fn answering(answer: impl Fn(&str, &str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut reader = BufReader::new(stream.try_clone().expect("the same connection"));
                let (mut length, mut target) = (0, String::new());
                let mut line = String::new();
                while reader.read_line(&mut line).expect("a line") > 0 && line.trim() != "" {
                    let (name, value) = line.split_once(':').unwrap_or((&line, ""));
                    match name.to_lowercase().as_str() {
                        "content-length" => length = value.trim().parse().expect("a length"),
                        "x-amz-target" => value.trim().rsplit('.').next().unwrap_or_default().clone_into(&mut target),
                        _ => {}
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).expect("a body");
                let body = String::from_utf8(body).expect("text");
                let action =
                    body.split('&').find_map(|field| field.strip_prefix("Action=")).map_or(target, str::to_owned);
                let (status, text) = answer(&action, &body);
                seen.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{action} {body}"));
                let length = text.len();
                let head = format!("HTTP/1.1 {status} Answer\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                stream.write_all(format!("{head}{text}").as_bytes()).expect("written");
            }
        });
        Self { url, asked }
    }

    /// By which it is asked, and nothing else in the world.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let all = [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"),
            ("AWS_ACCESS_KEY_ID", "AKIATESTONLY"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_REGION", "ap-northeast-1"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ];
        let own = ["CLOUDTRAIL", "SERVICE_QUOTAS", "EC2", "AUTO_SCALING", "STS"];
        let own = own.map(|service| (format!("AWS_ENDPOINT_URL_{service}").into(), self.url.clone().into()));
        let all: Vec<_> = all.map(|(name, value)| (name.into(), value.into())).into_iter().chain(own).collect();
        Surroundings::with(&all)
    }

    /// What was asked: each action with its body.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
