//! Requests to the byte: what is written goes out as it is, what comes back is read within bounds,
//! and each way not to answer is told from the others.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use mcp_conform::transport::{Body, RawError, RawRequest, RawResponse, RawTarget, send};
use rustls::{ClientConfig, RootCertStore, ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

/// For what must not take long.
const LIMIT: Duration = Duration::from_secs(20);
/// For what lasts until the time is over.
const SHORT: Duration = Duration::from_millis(100);

fn target(address: SocketAddr) -> RawTarget {
    RawTarget {
        host: address.ip().to_string(),
        port: address.port(),
        tls: None,
        address: None,
    }
}

async fn listen() -> (TcpListener, RawTarget) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let target = target(listener.local_addr().expect("an address"));
    (listener, target)
}

/// Reads a request up to its blank line.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request"));
    }
    head
}

/// A server of one connection: answers the first head, closes its half if asked to, and gives all
/// that the client has sent until it closed the connection.
async fn serve(answer: impl Into<Vec<u8>>, close: bool) -> (RawTarget, JoinHandle<Vec<u8>>) {
    let (listener, target) = listen().await;
    let answer = answer.into();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut request = read_head(&mut stream).await;
        stream.write_all(&answer).await.expect("a reader");
        if close {
            stream.shutdown().await.expect("a reader");
        }
        stream.read_to_end(&mut request).await.expect("an end");
        request
    });
    (target, server)
}

fn get() -> RawRequest {
    RawRequest::new("GET", "/mcp")
}

/// What the server is sent for `request`.
async fn sent(request: &RawRequest) -> String {
    let (target, server) = serve("HTTP/1.1 204 No Content\r\n\r\n", false).await;
    drop(send(&target, request, LIMIT).await.expect("an answer"));
    String::from_utf8(server.await.expect("a request")).expect("UTF-8")
}

/// The answer to a GET, and its body to the end.
async fn read(answer: impl Into<Vec<u8>>) -> (RawResponse, Result<Vec<u8>, RawError>) {
    let (target, _server) = serve(answer, true).await;
    let mut response = send(&target, &get(), LIMIT).await.expect("a head");
    let body = response.body.up_to(1 << 20).await;
    (response, body)
}

/// Why there is no answer to a GET.
async fn refusal(answer: impl Into<Vec<u8>>) -> RawError {
    let (target, _server) = serve(answer, true).await;
    send(&target, &get(), LIMIT).await.expect_err("no answer")
}

#[tokio::test]
async fn headers_go_out_as_they_are_written_and_none_is_added() {
    let request = get()
        .header("hOST", "foreign.invalid")
        .header("MCP-SESSION-ID", "1")
        .header("mcp-session-id", "1")
        .header("Mcp-Name", "ż");
    assert_eq!(
        sent(&request).await,
        "GET /mcp HTTP/1.1\r\nhOST: foreign.invalid\r\nMCP-SESSION-ID: 1\r\n\
         mcp-session-id: 1\r\nMcp-Name: ż\r\n\r\n"
    );
    assert_eq!(
        sent(&RawRequest::new("BREW", "/?a=b%20c")).await,
        "BREW /?a=b%20c HTTP/1.1\r\n\r\n"
    );
}

#[tokio::test]
async fn a_body_brings_the_one_header_that_frames_it() {
    let post = || RawRequest::new("POST", "/");
    assert_eq!(
        sent(&post().body(Body::Bytes(b"{}".to_vec()))).await,
        "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
    );
    assert_eq!(
        sent(&post().body(Body::Bytes(Vec::new()))).await,
        "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    );
    let chunks = vec![b"{".to_vec(), Vec::new(), b" ".repeat(16), b"}".to_vec()];
    assert_eq!(
        sent(&post().body(Body::Chunked(chunks))).await,
        format!(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
             1\r\n{{\r\n10\r\n{}\r\n1\r\n}}\r\n0\r\n\r\n",
            " ".repeat(16)
        )
    );
    let framed = post().header("content-LENGTH", "9");
    assert_eq!(
        sent(&framed.body(Body::Bytes(b"{}".to_vec()))).await,
        "POST / HTTP/1.1\r\ncontent-LENGTH: 9\r\n\r\n{}"
    );
}

#[tokio::test]
async fn the_address_may_be_another_than_that_of_the_host() {
    let (listener, _server) = serve("HTTP/1.1 204 No Content\r\n\r\n", false).await;
    let elsewhere = RawTarget {
        host: "mcp-conform.invalid".to_owned(),
        port: 1,
        address: Some(([127, 0, 0, 1], listener.port).into()),
        tls: None,
    };
    assert_eq!(elsewhere.authority(), "mcp-conform.invalid:1");
    let response = send(&elsewhere, &get(), LIMIT).await.unwrap();
    assert_eq!(response.status, 204);
}

#[test]
fn the_authority_leaves_out_the_default_port_and_brackets_ipv6() {
    let authority = |host: &str, port| {
        let host = host.to_owned();
        let (tls, address) = (None, None);
        RawTarget {
            host,
            port,
            tls,
            address,
        }
        .authority()
    };
    assert_eq!(authority("localhost", 80), "localhost");
    assert_eq!(authority("localhost", 443), "localhost:443");
    assert_eq!(authority("::1", 3000), "[::1]:3000");
}

#[tokio::test]
async fn the_head_is_given_as_it_was_written() {
    let (response, body) =
        read("HTTP/1.1 418 I'm a teapot\r\nX-A: 1\r\nx-a:é 2 \r\nContent-Length: 2\r\n\r\n{}!")
            .await;
    assert_eq!(
        (response.status, response.reason.as_str()),
        (418, "I'm a teapot")
    );
    let names: Vec<_> = response
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["X-A", "x-a", "Content-Length"]);
    assert_eq!(response.header("x-A"), Some(b"1".as_slice()));
    assert_eq!(response.headers[1].1, "é 2".as_bytes());
    assert_eq!(response.header("absent"), None);
    assert_eq!(body.unwrap(), b"{}");
}

#[tokio::test]
async fn bodies_end_where_their_framing_says() {
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore", ""),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 4, 4\r\n\r\nfourmore",
            "four",
        ),
        ("HTTP/1.1 200\r\n\r\nuntil the end", "until the end"),
        ("HTTP/1.0 200 OK\n\nbare line feeds", "bare line feeds"),
        (
            "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nfour",
            "",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nas it is",
            "as it is",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 1\r\n\r\n\
             4\r\nfour\r\n1F ; a=b\r\n0123456789012345678901234567890\r\n000\r\nx: y\r\n\r\nmore",
            "four0123456789012345678901234567890",
        ),
    ] {
        let (_, body) = read(answer).await;
        assert_eq!(
            String::from_utf8(body.unwrap()).unwrap(),
            expected,
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_head_request_has_no_body_whatever_its_headers_say() {
    let (target, _server) = serve("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", false).await;
    let head = RawRequest::new("HEAD", "/");
    let mut response = send(&target, &head, LIMIT).await.unwrap();
    assert_eq!(response.body.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let (response, body) = read(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
         HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    )
    .await;
    assert_eq!((response.status, response.headers.len()), (200, 1));
    assert_eq!(body.unwrap(), b"{}");
}

#[tokio::test]
async fn a_body_is_read_up_to_what_is_wanted() {
    let (target, _server) = serve("HTTP/1.1 200 OK\r\n\r\n0123456789", false).await;
    let mut response = send(&target, &get(), LIMIT).await.unwrap();
    assert_eq!(response.body.up_to(4).await.unwrap(), b"0123");
}

#[tokio::test]
async fn a_stream_is_read_piece_by_piece_and_dropping_it_closes_the_connection() {
    let (listener, target) = listen().await;
    let (go_on, wait) = oneshot::channel();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await;
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\none\n\n\r\n";
        stream.write_all(head).await.unwrap();
        wait.await.unwrap();
        stream.write_all(b"5\r\ntwo\n\n\r\n").await.unwrap();
        // The end comes when the client hangs up.
        stream.read_to_end(&mut Vec::new()).await.unwrap()
    });
    let mut body = send(&target, &get(), LIMIT).await.unwrap().body;
    assert_eq!(body.chunk().await.unwrap().unwrap(), "one\n\n");
    // A wait that is given up loses nothing.
    assert!(timeout(Duration::ZERO, body.chunk()).await.is_err());
    go_on.send(()).unwrap();
    assert_eq!(body.chunk().await.unwrap().unwrap(), "two\n\n");
    drop(body);
    assert_eq!(timeout(LIMIT, server).await.unwrap().unwrap(), 0);
}

#[tokio::test]
async fn chunks_survive_any_cut() {
    let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na;x\r\n0123456789\r\n0\r\n\r\n";
    for cut in 1..answer.len() {
        let (listener, target) = listen().await;
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            read_head(&mut stream).await;
            stream.write_all(&answer[..cut]).await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(&answer[cut..]).await.unwrap();
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        });
        let mut response = send(&target, &get(), LIMIT).await.unwrap();
        assert_eq!(response.body.up_to(100).await.unwrap(), b"abc0123456789");
        drop(response);
        server.await.unwrap();
    }
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_is_an_answer() {
    let (target, server) = serve(
        "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\n{}",
        false,
    )
    .await;
    let request = RawRequest::new("POST", "/").body(Body::Bytes(vec![b' '; 8 << 20]));
    let mut response = send(&target, &request, LIMIT).await.unwrap();
    assert_eq!(response.status, 413);
    assert_eq!(response.body.up_to(100).await.unwrap(), b"{}");
    drop(response);
    assert!(server.await.unwrap().len() <= request.to_bytes().len());
}

#[tokio::test]
async fn a_port_without_a_listener_refuses() {
    // Bound and never listening, so that nobody else gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let target = target(socket.local_addr().unwrap());
    let error = send(&target, &get(), LIMIT).await.unwrap_err();
    assert!(matches!(error, RawError::Refused), "{error}");
}

#[tokio::test]
async fn a_connection_closed_without_a_byte_is_told_from_one_closed_within_the_head() {
    let error = refusal("").await;
    assert!(matches!(error, RawError::Closed), "{error}");
    let error = refusal("HTTP/1.1 200 OK\r\nContent-Le").await;
    assert!(matches!(error, RawError::Malformed(_)), "{error}");
}

#[tokio::test]
async fn a_connection_reset_without_a_byte_is_closed() {
    let (listener, target) = listen().await;
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // What was not read makes of the close a reset.
        stream.readable().await.unwrap();
    });
    let error = send(&target, &get(), LIMIT).await.unwrap_err();
    assert!(matches!(error, RawError::Closed), "{error}");
    server.await.unwrap();
}

#[tokio::test]
async fn silence_ends_with_the_limit() {
    for answer in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let (target, _server) = serve(answer, false).await;
        let error = send(&target, &get(), SHORT).await.unwrap_err();
        assert!(matches!(error, RawError::NoStatus(SHORT)), "{error}");
    }
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_no_connection() {
    let (_listener, mut target) = listen().await;
    target.tls = Some(Arc::new(trusting(RootCertStore::empty())));
    let error = send(&target, &get(), SHORT).await.unwrap_err();
    assert!(matches!(error, RawError::NoConnection(SHORT)), "{error}");
}

#[tokio::test]
async fn what_is_no_http_is_malformed_at_once() {
    for (answer, close) in [
        ("SSH-2.0-x\r\n".to_owned(), false),
        ("\u{15}\u{3}\u{1}".to_owned(), false),
        ("{\"jsonrpc\":\"2.0\"}".to_owned(), false),
        ("HTTP/2 200\r\n\r\n".to_owned(), false),
        ("HTTP/1.1 abc\r\n\r\n".to_owned(), false),
        ("HTTP/1.1 200 OK\r\nno colon\r\n\r\n".to_owned(), false),
        (
            format!("HTTP/1.1 200 OK\r\nx: {}", "x".repeat(70_000)),
            false,
        ),
        (
            format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(20_000)),
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(),
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n".to_owned(),
            true,
        ),
    ] {
        let (target, _server) = serve(answer.clone(), close).await;
        let error = send(&target, &get(), LIMIT).await.unwrap_err();
        assert!(
            matches!(error, RawError::Malformed(_)),
            "{error}: {:.40}",
            answer
        );
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_from_one_that_is_malformed() {
    for cut in [
        "Content-Length: 9\r\n\r\nfour",
        "Transfer-Encoding: chunked\r\n\r\n9\r\nfour",
    ] {
        let (_, body) = read(format!("HTTP/1.1 200 OK\r\n{cut}")).await;
        assert!(matches!(body, Err(RawError::Cut)), "{body:?}");
    }
    for bad in [
        "x\r\n",
        "\r\n",
        "-1\r\n",
        "1\r\nab\r\n",
        "fffffffffffffffff\r\n",
    ] {
        let (_, body) = read(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{bad}"
        ))
        .await;
        assert!(
            matches!(body, Err(RawError::Malformed(_))),
            "{bad:?}: {body:?}"
        );
    }
    let endless = "x".repeat(10_000);
    let (_, body) = read(format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{endless}"
    ))
    .await;
    assert!(matches!(body, Err(RawError::Malformed(_))), "{body:?}");
}

fn trusting(roots: RootCertStore) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// A server that speaks TLS, HTTP/2 by preference, as `mcp.example`, and a client that trusts it.
fn certified() -> (TlsAcceptor, Arc<ClientConfig>) {
    let names = vec!["mcp.example".to_owned()];
    let certified = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).expect("a root");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("a key");
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    (
        TlsAcceptor::from(Arc::new(server)),
        Arc::new(trusting(roots)),
    )
}

/// Answers one request over TLS, and hangs up without a farewell.
async fn serve_tls(acceptor: TlsAcceptor, stream: TcpStream) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    assert_eq!(
        stream.get_ref().1.alpn_protocol(),
        Some(b"http/1.1".as_slice())
    );
    read_head(&mut stream).await;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\n\r\nover TLS")
        .await
        .expect("a reader");
    stream.flush().await.expect("a reader");
}

#[tokio::test]
async fn tls_speaks_http_1_and_holds_the_certificate_against_the_host() {
    let (acceptor, config) = certified();
    let (listener, mut target) = listen().await;
    let server = tokio::spawn(async move {
        for _ in 0..2 {
            let (stream, _) = listener.accept().await.unwrap();
            serve_tls(acceptor.clone(), stream).await;
        }
    });
    target.address = Some(([127, 0, 0, 1], target.port).into());
    target.host = "mcp.example".to_owned();
    target.tls = Some(config);
    let mut response = send(&target, &get(), LIMIT).await.unwrap();
    assert_eq!(response.body.up_to(100).await.unwrap(), b"over TLS");
    target.host = "other.example".to_owned();
    let error = send(&target, &get(), LIMIT).await.unwrap_err();
    assert!(matches!(error, RawError::Tls(_)), "{error}");
    server.await.unwrap();
}
