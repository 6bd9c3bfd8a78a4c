//! Clients that meet failing TLS, by hand: what each of their moves is taken for.

use wsgrade_cases::Catalogue;
use wsgrade_reports::record::Behavior;

use super::*;

/// A hello as far as anybody here reads it: a record of type handshake, with five bytes.
const HELLO: &[u8] = &[HANDSHAKE, 3, 1, 0, 5, 1, 0, 0, 1, 0];
const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: x\r\n\r\n";

fn plan(id: &str) -> Arc<Plan> {
    let scenarios = Catalogue::embedded().scenarios();
    Plan::alone(scenarios.iter().find(|scenario| scenario.id.as_str() == id).unwrap().clone())
}

/// What is seen of a client in S.4.4, and its verdict.
async fn broken<F: Future<Output = ()>>(client: impl FnOnce(TcpStream) -> F) -> (Came, Behavior, Transcript) {
    let plan = plan("S.4.4");
    let patience = Duration::from_millis(300);
    let limits = Limits { answer: patience, opening: patience, ..Limits::default() };
    let trap = Arc::new(Trap::new(BadTls::Broken, None, &plan, Instant::now(), &limits).unwrap());
    let door = Door::open([127, 0, 0, 1].into()).unwrap();
    let stream = TcpStream::connect(door.addr).await.unwrap();
    let caught = door.waiting().next().expect("a client that has connected waits");
    let (sight, ()) = tokio::join!(trap.catch(caught), client(stream));
    let transcript = Transcript { entries: sight.entries };
    let record =
        case::record(&plan, Role::Client, tls::NAME, transcript.clone(), Duration::ZERO, "wsgrade -c ");
    (sight.came, record.behavior, transcript)
}

/// Sends this, and takes the alert.
async fn hello(stream: &mut TcpStream) {
    stream.write_all(HELLO).await.unwrap();
    let mut alert = [0; ALERT.len()];
    stream.read_exact(&mut alert).await.unwrap();
    assert_eq!(alert, ALERT);
}

#[tokio::test]
async fn who_goes_behind_the_alert_passes() {
    let went = broken(|mut stream| async move { hello(&mut stream).await }).await;
    assert_eq!((went.0, went.1), (Came::Dropped, Behavior::Pass), "{:#?}", went.2);
    let with_an_alert = broken(|mut stream| async move {
        hello(&mut stream).await;
        stream.write_all(&[0x15, 3, 3, 0, 2, 1, 0]).await.unwrap();
    })
    .await;
    assert_eq!((with_an_alert.0, with_an_alert.1), (Came::Dropped, Behavior::Pass), "{:#?}", with_an_alert.2);
    // A type of record that TLS does not have is no HTTP either.
    let with_noise = broken(|mut stream| async move {
        hello(&mut stream).await;
        stream.write_all(&[0, 1, 2]).await.unwrap();
    })
    .await;
    assert_eq!((with_noise.0, with_noise.1), (Came::Dropped, Behavior::Pass), "{:#?}", with_noise.2);
}

#[tokio::test]
async fn who_speaks_behind_the_alert_fails() {
    let spoke = broken(|mut stream| async move {
        hello(&mut stream).await;
        stream.write_all(&[0x15, 3, 3, 0, 2, 1, 0]).await.unwrap();
        stream.write_all(REQUEST).await.unwrap();
    })
    .await;
    assert_eq!((spoke.0, spoke.1), (Came::Spoke, Behavior::Fail));
    let What::Http { dir: Direction::Received, message } = &spoke.2.entries[0].what else {
        panic!("{:#?}", spoke.2)
    };
    assert_eq!(
        (message.bytes, message.lines.as_slice()),
        (31, &["GET /chat HTTP/1.1".to_owned(), "Host: x".to_owned()][..])
    );

    let without_hello = broken(|mut stream| async move { stream.write_all(REQUEST).await.unwrap() }).await;
    assert_eq!((without_hello.0, without_hello.1), (Came::Spoke, Behavior::Fail));
    // The beginning of a request is one that was sent.
    let cut_off = broken(|mut stream| async move { stream.write_all(b"GET /ch").await.unwrap() }).await;
    assert_eq!((cut_off.0, cut_off.1), (Came::Spoke, Behavior::Fail));
    assert!(matches!(&cut_off.2.entries[0].what, What::Bytes { .. }), "{:#?}", cut_off.2);
}

#[tokio::test]
async fn who_stays_and_is_silent_is_told_so() {
    let stays = broken(|mut stream| async move {
        hello(&mut stream).await;
        // Our end of the stream, and then nothing until we are gone.
        assert_eq!(stream.read(&mut [0; 9]).await.unwrap(), 0);
        tokio::time::sleep(Duration::from_secs(1)).await;
    })
    .await;
    assert_eq!((stays.0, stays.1), (Came::Silent, Behavior::Informational), "{:#?}", stays.2);
}

/// TCP alone, a hello that is cut off, and another protocol: none of them is a client whose TLS failed.
#[tokio::test]
async fn who_never_began_is_not_judged() {
    let nothing = broken(|stream| async move { drop(stream) }).await;
    assert_eq!((nothing.0, nothing.1), (Came::Nothing, Behavior::Inconclusive), "{:#?}", nothing.2);
    let half = broken(|mut stream| async move { stream.write_all(&HELLO[..7]).await.unwrap() }).await;
    assert_eq!((half.0, half.1), (Came::Nothing, Behavior::Inconclusive), "{:#?}", half.2);
    let other = broken(|mut stream| async move { stream.write_all(b"\0\x01\x02").await.unwrap() }).await;
    assert_eq!((other.0, other.1), (Came::Nothing, Behavior::Inconclusive), "{:#?}", other.2);
    let silent = broken(|stream| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(stream);
    })
    .await;
    assert_eq!((silent.0, silent.1), (Came::Nothing, Behavior::Inconclusive), "{:#?}", silent.2);
}

#[test]
fn what_it_takes() {
    let client = |command: &str| Client { command: command.to_owned(), agent: "a".to_owned() };
    let with_url = client("node client.mjs {url}");
    let said = [
        lacking(false, Some(&with_url)),
        lacking(true, None),
        lacking(true, Some(&client("node client.mjs"))),
        lacking(true, Some(&with_url)),
    ];
    insta::assert_snapshot!(said.map(|lacks| lacks.unwrap_or("nothing")).join("\n"), @r"
    does not reach us through TLS (listen --cert --key --spawn)
    was not started by us, so it cannot be sent to where TLS fails (listen --cert --key --spawn 'COMMAND {url}')
    cannot be sent to where TLS fails, as its command has no {url}
    nothing
    ");
}

/// A client is misled only where it could have known.
#[test]
fn who_can_be_misled() {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    assert_eq!(mistakable(|ip| ip == here, here), None);
    let said =
        [mistakable(|_| false, here), mistakable(|ip| ip == ELSEWHERE, here), mistakable(|_| true, here)];
    assert_eq!(said[0], said[1]);
    insta::assert_snapshot!(said[1..].iter().flatten().copied().collect::<Vec<_>>().join("\n"), @r"
    cannot compare the certificate of --cert with {url}, whose address it is not for, and so compares it with something else or not at all
    is not misled, as the certificate of --cert is for 127.0.0.2 as well
    ");
}

/// A client that comes again and again, and one that stays away, are ended.
#[cfg(unix)]
#[tokio::test]
async fn nobody_is_waited_for_without_end() {
    let patience = Duration::from_millis(200);
    let limits = Limits { answer: patience, opening: patience, ..Limits::default() };
    let plan = plan("S.4.4");
    let trap = || Arc::new(Trap::new(BadTls::Broken, None, &plan, Instant::now(), &limits).unwrap());
    let door = Door::open([127, 0, 0, 1].into()).unwrap();
    let client = Client { command: "sleep 60".to_owned(), agent: "a".to_owned() };
    let process = client.start("").unwrap();
    assert!(watch(&door, &process, trap()).await.is_none());

    let addr = door.addr;
    let coming = tokio::spawn(async move {
        let mut times = 0;
        while let Ok(mut stream) = TcpStream::connect(addr).await {
            times += 1;
            stream.write_all(HELLO).await.unwrap();
            let _ = stream.read(&mut [0; 9]).await;
            if times == MAX_CONNECTIONS {
                break;
            }
        }
        times
    });
    let sight = watch(&door, &process, trap()).await.unwrap();
    assert_eq!((sight.came, coming.await.unwrap()), (Came::Dropped, MAX_CONNECTIONS));
    assert!(!process.0.is_dead());
}
