//! A filter process that answers with what it gets: what Git's protocol costs by itself. `rustc -O` makes it (in_place.py).

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

fn packet(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut digits = [0; 4];
    input.read_exact(&mut digits)?;
    let length = usize::from_str_radix(std::str::from_utf8(&digits).unwrap_or_default(), 16);
    let length = length.map_err(io::Error::other)?;
    if length == 0 {
        return Ok(None);
    }
    let mut bytes = vec![0; length - 4];
    input.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

fn packets(input: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
    std::iter::from_fn(|| packet(input).transpose()).collect()
}

fn main() -> io::Result<()> {
    let mut input = BufReader::with_capacity(1 << 17, io::stdin().lock());
    let mut output = BufWriter::with_capacity(1 << 17, io::stdout().lock());
    packets(&mut input)?;
    output.write_all(b"0016git-filter-server\n000eversion=2\n0000")?;
    output.flush()?;
    packets(&mut input)?;
    output.write_all(b"0015capability=clean\n0016capability=smudge\n0000")?;
    output.flush()?;
    while !input.fill_buf()?.is_empty() {
        packets(&mut input)?;
        let content = packets(&mut input)?;
        output.write_all(b"0013status=success\n0000")?;
        for piece in content {
            write!(output, "{:04x}", piece.len() + 4)?;
            output.write_all(&piece)?;
        }
        output.write_all(b"00000000")?;
        output.flush()?;
    }
    Ok(())
}
