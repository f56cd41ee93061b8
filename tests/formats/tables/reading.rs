//! The reader agrees with the `csv` crate on every table that both can read.

use git_ml::tables::{Record, TableReader, TableShape};
use proptest::prelude::*;

fn rows_by_us(text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut reader = TableReader::open(text).unwrap();
    let mut record = Record::default();
    let mut rows = Vec::new();
    while reader.read(&mut record).unwrap() {
        rows.push(record.iter().map(|cell| cell.bytes.to_vec()).collect());
    }
    rows
}

fn rows_by_csv(text: &[u8], delimiter: u8) -> Vec<Vec<Vec<u8>>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text);
    let rows = reader.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect());
    rows.collect()
}

fn written(rows: &[Vec<String>], delimiter: u8, crlf: bool, always_quoted: bool) -> Vec<u8> {
    let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let style = if always_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(terminator)
        .quote_style(style)
        .from_writer(Vec::new());
    writer.write_record(["name one", "name two", "name three"]).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

proptest! {
    #[test]
    fn agrees_with_the_csv_crate(
        rows in prop::collection::vec(prop::collection::vec("[ab1\",;\t|\r\n .ö-]{0,6}", 3), 1..30),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        crlf: bool,
        always_quoted: bool,
    ) {
        let text = written(&rows, delimiter, crlf, always_quoted);
        let reader = TableReader::open(&text[..]).unwrap();
        // What the text means under another delimiter is not asked here.
        prop_assume!(reader.dialect().delimiter == delimiter && reader.dialect().header);
        prop_assert_eq!(rows_by_us(&text), rows_by_csv(&text, delimiter));
    }

    #[test]
    fn whatever_comes_in_is_a_table_or_an_error(text in "[ab1\",;\t|\r\n .-]{0,80}") {
        let _ = TableShape::read(text.as_bytes());
    }
}

#[test]
fn a_table_larger_than_what_its_dialect_is_told_from() {
    let row = |number: usize| format!("{number},\"text, with {number}\"\n");
    let text = format!("id,text\n{}", (0..10_000).map(row).collect::<String>());
    let shape = TableShape::read(text.as_bytes()).unwrap();
    assert_eq!(shape.pointer_lines().unwrap(), ["id int64 nulls=0", "text utf8 nulls=0"]);
    assert_eq!((shape.rows, rows_by_us(text.as_bytes())), (10_000, rows_by_csv(text.as_bytes(), b',')));
}
