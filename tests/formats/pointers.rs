//! Pointers: one text for one meaning, and clear words for what is none.

use git_ml::base::Digest;
use git_ml::objects::pointer::{MAX_POINTER, PointerError};
use git_ml::objects::{Pointer, PointerKind, Shape};
use proptest::prelude::*;

fn shape(kind: PointerKind) -> BoxedStrategy<Option<Shape>> {
    let lines = || prop::collection::vec("\\PC{0,20}|[\u{0}-\u{ff}]{0,9}", 0..9);
    let table = ("[a-z]{1,8}", 0..i64::MAX as u64, lines())
        .prop_map(|(format, rows, columns)| Shape::Table { format, rows, columns });
    let tree = (0..i64::MAX as u64, 0..i64::MAX as u64, lines(), lines())
        .prop_map(|(files, bytes, extensions, folders)| Shape::Tree { files, bytes, extensions, folders });
    match kind {
        PointerKind::File => prop::option::of(table).boxed(),
        PointerKind::Tree => prop::option::of(tree).boxed(),
    }
}

fn pointer() -> impl Strategy<Value = Pointer> {
    let unknown = prop_oneof![
        Just(""),
        Just("future = 1\nlater = [\"x\", 2]\n"),
        Just("[later]\nx = 1979-05-27\n[later.deep]\ny = {z = 1.5}\n"),
        Just("a = 1\n[[list]]\nb = 2\n[[list]]\nb = 3\n"),
    ];
    let kind = prop_oneof![Just(PointerKind::File), Just(PointerKind::Tree)];
    (kind.prop_flat_map(|kind| (Just(kind), shape(kind))), any::<[u8; 32]>(), 0..i64::MAX as u64, unknown)
        .prop_map(|((kind, shape), id, size, unknown)| {
            let is_long = kind == PointerKind::File && size > 98_304;
            let id = if size == 0 { Digest::of(b"") } else { Digest::from_bytes(id) };
            let manifest = is_long.then(|| Digest::of(id.as_bytes()));
            Pointer { kind, id, size, manifest, shape, unknown: unknown.parse().unwrap() }
        })
}

proptest! {
    #[test]
    fn a_pointer_reads_back_from_its_one_text(pointer in pointer()) {
        let text = pointer.to_text();
        let read = Pointer::parse(text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&read, &pointer, "{}", text);
        prop_assert_eq!(read.to_text(), text.clone());
        let windows = text.replace('\n', "\r\n");
        prop_assert_eq!(Pointer::parse(windows.as_bytes()).unwrap(), pointer);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Pointer::parse(&bytes);
    }
}

#[test]
fn what_is_no_pointer_says_why() {
    let good = Pointer::file(Digest::of(b"x"), 1, None).to_text();
    let parse = |text: &str| Pointer::parse(text.as_bytes()).unwrap_err();
    let conflict = format!("{good}<<<<<<< HEAD\n=======\n>>>>>>> theirs\n");
    assert_eq!(parse(&conflict), PointerError::ConflictMarker { line: 6 });
    assert_eq!(parse(&good.replace("version = 1", "version = 7")), PointerError::Version { version: 7 });
    assert_eq!(parse(&good.replace("kind = \"file\"", "")), PointerError::Missing { key: "kind" });
    assert_eq!(parse(&good.replace("size = 1", "size = -1")), PointerError::Value { key: "size" });
    assert_eq!(parse(&good.replace("size = 1", "size = 0")), PointerError::Value { key: "size" });
    assert_eq!(parse(&good.replace("size = 1", "size = 98305")), PointerError::Value { key: "manifest" });
    assert!(matches!(parse("a = [[[["), PointerError::NotToml(_)));
    assert_eq!(Pointer::parse(b"\xff\xfe"), Err(PointerError::NotText));
    let long = vec![b'#'; MAX_POINTER + 1];
    assert_eq!(Pointer::parse(&long), Err(PointerError::TooLong { size: long.len() }));
    let marked = format!("\u{feff}{good}");
    assert!(Pointer::parse(marked.as_bytes()).is_ok(), "an editor's byte order mark");
    let deep = format!("{good}x = {}", "[".repeat(60_000));
    assert!(matches!(parse(&deep), PointerError::NotToml(_)));
}

#[test]
fn facts_of_a_later_version_are_kept_and_never_the_identity() {
    let text =
        format!("{}[table]\nnew = true\nshape = 2\n", Pointer::file(Digest::of(b"x"), 1, None).to_text());
    let pointer = Pointer::parse(text.as_bytes()).unwrap();
    assert_eq!((&pointer.shape, pointer.to_text()), (&None, text));
    assert!(pointer.same_content(&Pointer::file(Digest::of(b"x"), 1, None)));
    let columns = (0..9000).map(|i| format!("column{i} int64 nulls=0")).collect();
    let wide = pointer.with_shape(Some(Shape::Table { format: "csv".into(), rows: 1, columns }));
    assert_eq!(wide.shape, None);
}
