//! Asks what a configuration says must answer: a port, a web address. A probe that does not pass says how it was answered.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::domain::probe::{has_port, parts};

/// How long one probe may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Most bytes that are read until a status line must have come.
const STATUS_LINE_MAX: u64 = 1_024;

/// Connects to `address`.
///
/// # Errors
/// Why not, in words.
pub async fn tcp(address: &str) -> Result<(), String> {
    connect(address).await.map(drop)
}

/// Whether somebody takes a connection to `address`; a refused one says that nobody does.
///
/// # Errors
/// In words, why nobody can say.
pub async fn is_taken(address: &str) -> Result<bool, String> {
    match connected(address).await {
        Ok(Ok(_)) => Ok(true),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Ok(false),
        Ok(Err(error)) => Err(error.to_string()),
        Err(late) => Err(late),
    }
}

/// Asks for `url`, an `http://` address, whose answer must have `status`.
///
/// # Errors
/// How it answered instead, in words.
pub async fn http(url: &str, status: u16) -> Result<(), String> {
    match answered(url).await? {
        answered if answered == status => Ok(()),
        answered => Err(format!("answers {answered}")),
    }
}

/// The status with which `url`, an `http://` address, answers.
///
/// # Errors
/// In words, why there is none.
pub async fn answered(url: &str) -> Result<u16, String> {
    let Some((host, path)) = parts(url) else { return Err("this is no `http://` address".to_owned()) };
    let port = if has_port(host) { String::new() } else { ":80".to_owned() };
    let mut stream = connect(&format!("{host}{port}")).await?;
    // The words of the address are checked where it is read and filled in: no line break can be in them.
    let question = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: tidegate\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    );
    let answer = async {
        stream.write_all(question.as_bytes()).await?;
        let mut bytes = Vec::new();
        let mut limited = stream.take(STATUS_LINE_MAX);
        while !bytes.contains(&b'\n') && limited.read_buf(&mut bytes).await? > 0 {}
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => return Err(format!("no answer within {} s", PATIENCE.as_secs())),
    };
    status_of(&bytes).ok_or_else(|| "what answers does not speak HTTP".to_owned())
}

async fn connect(address: &str) -> Result<TcpStream, String> {
    connected(address).await?.map_err(|error| error.to_string())
}

/// What came of a connection; in words, where that did not come in time.
async fn connected(address: &str) -> Result<std::io::Result<TcpStream>, String> {
    let late = |_| format!("no connection within {} s", PATIENCE.as_secs());
    tokio::time::timeout(PATIENCE, TcpStream::connect(address)).await.map_err(late)
}

/// Source: RFC 9112, 4, "Status Line".
fn status_of(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let (version, rest) = line.split_once(' ')?;
    version.starts_with("HTTP/1.").then_some(())?;
    rest.split_whitespace().next()?.parse().ok().filter(|status| (100..600).contains(status))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut asked = [0; 512];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn an_address_passes_by_its_status_alone() {
        let address = answering("HTTP/1.1 204 No Content\r\n\r\n").await;
        assert_eq!(http(&format!("http://{address}/health"), 204).await, Ok(()));
        assert_eq!(http(&format!("http://{address}"), 200).await, Err("answers 204".to_owned()));
        let other = answering("SSH-2.0-OpenSSH\r\n").await;
        assert!(http(&format!("http://{other}"), 200).await.expect_err("not HTTP").contains("does not speak HTTP"));
        let nothing = answering("").await;
        assert!(http(&format!("http://{nothing}"), 200).await.is_err());
    }

    #[tokio::test]
    async fn a_port_passes_when_somebody_listens() {
        let address = answering("").await;
        assert_eq!(tcp(&address).await, Ok(()));
        let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
        assert!(tcp(&free.to_string()).await.expect_err("nobody listens").contains("refused"));
        assert_eq!((is_taken(&address).await, is_taken(&free.to_string()).await), (Ok(true), Ok(false)));
        assert!(
            is_taken("no.such.host.invalid:1").await.is_err(),
            "that a name is not known says nothing of who works there"
        );
    }
}
