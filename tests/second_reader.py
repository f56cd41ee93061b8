#!/usr/bin/env python3
"""Restores a root of a folder remote, byte for byte: a second implementation of the formats.

Written from the documentation of `src/objects` alone; it shares no code with the crate. Needs blake3 and zstandard from
PyPI. Every byte is checked against the id that names it before it is written.

usage: second_reader.py REMOTE_FOLDER REPOSITORY ROOT OUT
"""

import os
import sys
import tomllib
from pathlib import Path

import zstandard
from blake3 import blake3

CHUNK, TREE, MANIFEST, LOCATOR, PACK_SET = range(5)
CONTEXTS = {TREE: "git-ml 1 tree", MANIFEST: "git-ml 1 manifest", LOCATOR: "git-ml 1 locator", PACK_SET: "git-ml 1 pack set"}
FILE, DIRECTORY, LINK, SPLIT = 1, 2, 3, 4
ZERO = bytes(32)
NO_PACK = (ZERO, 0, 0)


class Damaged(Exception):
    """Bytes that are not what their format or their id says."""


def need(holds, what):
    if not holds:
        raise Damaged(what)


class Fields:
    """Takes little-endian fields from the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bytes(self, length):
        need(self.at + length <= len(self.data), "cut short")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self, length):
        return int.from_bytes(self.bytes(length), "little")

    def head(self, magic):
        need(self.bytes(8) == magic, f"no magic {magic}")
        need((self.number(2), self.number(2)) == (1, 0), "another version, or flags that must be understood")

    def pack(self):
        return self.bytes(32), self.number(4), self.number(3)

    def place(self):
        return self.pack(), self.number(4), self.number(4), self.number(4), self.number(1)

    def optional_place(self):
        return self.place() if self.number(1) else None

    def end(self):
        need(self.at == len(self.data), "goes on after its end")


def item_id(kind, data):
    context = CONTEXTS.get(kind)
    return (blake3(data, derive_key_context=context) if context else blake3(data)).digest()


def decompress(codec, stored, raw_length):
    need(raw_length <= 1 << 20, "item over 1 MiB")
    if codec == 0:
        return stored
    need(codec in (1, 2, 3), "a codec that is not known")
    try:
        flat = zstandard.ZstdDecompressor().stream_reader(stored, read_across_frames=True).read(raw_length + 1)
    except zstandard.ZstdError as error:
        raise Damaged(f"damaged compressed bytes: {error}") from error
    width = (1, 2, 4)[codec - 1]
    raw, at = bytearray(len(flat)), 0
    for plane in range(width):
        length = len(range(plane, len(flat), width))
        raw[plane::width] = flat[at : at + length]
        at += length
    return bytes(raw)


def unsealed(data, context):
    """What stands before the hash at the end of a record."""
    body, seal = data[:-32], data[-32:]
    need(blake3(body, derive_key_context=context).digest() == seal, "a record whose own hash does not fit")
    return body


class Remote:
    """A folder remote."""

    def __init__(self, folder):
        self.folder = Path(folder)
        config = tomllib.loads((self.folder / "config").read_text())
        need(config["format"] == 1 and not config["must_understand"], "a later remote")
        need(config["id_scheme"] == "blake3" and config["encryption"] == "none", "a remote of another kind")
        self.packs, self.footers = [], None

    def path(self, pack):
        name = pack[0].hex()
        return self.folder / "packs" / name[:2] / name

    def range(self, pack, offset, length):
        with open(self.path(pack), "rb") as file:
            file.seek(offset)
            data = file.read(length)
        need(len(data) == length, "range beyond the end of a pack")
        return data

    def item(self, kind, wanted, place):
        """The item with this id: from its place, or where the footers say."""
        if place is not None:
            try:
                pack, offset, stored, raw, codec = place
                data = decompress(codec, self.range(pack, offset, stored), raw)
                if item_id(kind, data) == wanted:
                    return data
            except (OSError, Damaged):
                pass
        if self.footers is None:
            self.footers = dict(entry for pack in self.packs for entry in self.footer(pack))
        need(wanted in self.footers, f"{wanted.hex()} is in no pack of the root")
        pack, offset, stored, raw, codec = self.footers[wanted]
        data = decompress(codec, self.range(pack, offset, stored), raw)
        need(item_id(kind, data) == wanted, f"{wanted.hex()} is damaged")
        return data

    def footer(self, pack, depth=0):
        """The ids and places of all items of a pack, or of the packs that it was folded into."""
        identity, size, length = pack
        moves = self.folder / "moves" / identity.hex()
        if depth < 8 and moves.exists():
            for target in self.targets(identity, moves.read_bytes()):
                yield from self.footer(target, depth + 1)
        if not self.path(pack).exists():
            return
        data = self.range(pack, size - 16 - length, length)
        need(blake3(data).digest() == identity, "a footer that is not its pack's")
        fields = Fields(data)
        count, raw_sum = fields.number(4), fields.number(8)
        fields.bytes(32 + 24)
        offset = 64
        for _ in range(count):
            wanted, stored, raw, codec = fields.bytes(32), fields.number(4), fields.number(4), fields.number(1)
            fields.number(1)
            yield wanted, (pack, offset, stored, raw, codec)
            offset, raw_sum = offset + stored, raw_sum - raw
        fields.end()
        need(raw_sum == 0, "raw lengths that do not add up")

    def targets(self, identity, data):
        """The packs that a pack was folded into."""
        fields = Fields(unsealed(data, "git-ml 1 moves"))
        fields.head(b"gitmlmov")
        need(fields.bytes(32) == identity, "a record of another pack's moves")
        return [fields.pack() for _ in range(fields.number(4))]

    def root(self, repository, root):
        """The fields of a record of this root."""
        records = sorted((self.folder / "roots" / repository / root).iterdir())
        fields = Fields(unsealed(records[-1].read_bytes(), "git-ml 1 root"))
        fields.head(b"gitmlrot")
        need(fields.bytes(16).hex() == repository, "a record of another repository")
        fields.bytes(16 + 24)
        kind, identity, manifest = fields.number(1), fields.bytes(32), fields.bytes(32)
        need(identity.hex() == root, "a record of another root")
        size, _files = fields.number(8), fields.number(8)
        fields.bytes(56 * fields.number(1))
        for _ in range(fields.number(1)):
            fields.bytes(fields.number(1))
        top = fields.optional_place()
        fields.bytes(fields.number(4))
        locator = fields.optional_place()
        fields.bytes(fields.number(4))
        self.read_packs(fields)
        return kind, identity, None if manifest == ZERO else manifest, size, top, locator

    def read_packs(self, fields):
        count, form = fields.number(4), fields.number(1)
        if form == 0:
            self.packs = [fields.pack() for _ in range(count)]
        else:
            top_id, top_place = fields.bytes(32), fields.place()
        meta = [fields.pack() for _ in range(fields.number(2))]
        if form == 1:
            self.packs = meta  # for the footers, while the set is read
            self.packs = meta + list(self.pack_set(top_id, top_place))

    def pack_set(self, identity, place):
        level, count, fields = self.node(PACK_SET, identity, place)
        for _ in range(count):
            if level == 0:
                yield fields.pack()
                continue
            child = fields.bytes(32)
            fields.bytes(32 + 8)
            pack, *rest = fields.place()
            yield from self.pack_set(child, (place[0] if pack == NO_PACK else pack, *rest))

    def node(self, kind, identity, place):
        """Level, count of entries and the fields of a node."""
        return read_node(kind, self.item(kind, identity, place))

    def locator(self, place, count):
        """What a locator tells about each entry of the node beside it: (place of item, place of locator)."""
        nothing = [(None, None)] * count
        if place is None:
            return nothing
        try:
            pack, offset, stored, raw, codec = place
            data = decompress(codec, self.range(pack, offset, stored), raw)
            _, found, fields = read_node(LOCATOR, data)
            packs = [pack] + [fields.pack() for _ in range(fields.number(2))]
            entries = [locator_entry(fields, packs) for _ in range(found)]
            return entries if found == count else nothing
        except (OSError, IndexError, Damaged):
            return nothing


def read_node(kind, data):
    fields = Fields(data)
    fields.head(b"gitmlnod")
    need(fields.number(1) == kind, "a node of another kind")
    level, count = fields.number(1), fields.number(4)
    need(level <= 16, "too deep")
    return level, count, fields


def locator_entry(fields, packs):
    first = fields.number(1)
    if first == 255:
        return None, None
    spot = lambda codec: (packs[fields.number(2)], fields.number(4), fields.number(3), codec)
    if first != 254:
        pack, offset, stored, codec = spot(first)
        return lambda raw: (pack, offset, stored, raw, codec), None
    places = []
    for _ in range(2):
        pack, offset, stored, codec = spot(fields.number(1))
        places.append((pack, offset, stored, fields.number(3), codec))
    return places[0], places[1]


def chunks(remote, identity, size, place, locator):
    """The chunks of a content, in order, by its manifest; checks the sums on the way."""
    level, count, fields = remote.node(MANIFEST, identity, place)
    total = 0
    for hint, below in remote.locator(locator, count):
        if level == 0:
            chunk, length = fields.bytes(32), fields.number(3)
            yield remote.item(CHUNK, chunk, hint(length) if callable(hint) else None)
        else:
            child, length = fields.bytes(32), fields.number(8)
            fields.number(8)
            yield from chunks(remote, child, length, hint, below)
        total += length
    fields.end()
    need(total == size, "a manifest whose lengths do not add up")


def content(remote, identity, manifest, size, place, locator):
    """The content with this id, piece by piece; the whole is checked before the last piece is given."""
    whole, total, held = blake3(), 0, b""
    if manifest is not None:
        pieces = chunks(remote, manifest, size, place, locator)
    else:
        hint = place(size) if callable(place) else place
        pieces = [remote.item(CHUNK, identity, hint)] if size else []
    for piece in pieces:
        whole.update(piece)
        total += len(piece)
        yield held
        held = piece
    need(total == size and whole.digest() == identity, f"content {identity.hex()} is damaged")
    yield held


def write_file(out, pieces, executable):
    temporary = out.with_name(f"{out.name}.part")
    with open(temporary, "wb") as file:
        for piece in pieces:
            file.write(piece)
    os.chmod(temporary, 0o755 if executable else 0o644)
    os.rename(temporary, out)


def tree(remote, identity, place, locator, out):
    """Restores the entries of a directory's node; gives the sums of sizes and files."""
    level, count, fields = remote.node(TREE, identity, place)
    sums = [0, 0]
    for hint, below in remote.locator(locator, count):
        name = fields.bytes(fields.number(1))
        need(name not in (b"", b".", b"..") and not set(name) & {0, 47, 92} and name.lower() != b".git", "a bad name")
        kind, flags, size, entry = fields.number(1), fields.number(1), fields.number(8), fields.bytes(32)
        files = fields.number(8) if kind in (DIRECTORY, SPLIT) else 1
        manifest = fields.bytes(32) if flags & 2 else None
        path = out / os.fsdecode(name)
        need((kind == SPLIT) == (level > 0), "a split in a leaf, or else above it")
        if kind == FILE:
            write_file(path, content(remote, entry, manifest, size, hint, below), flags & 1)
        elif kind == LINK:
            os.symlink(b"".join(content(remote, entry, None, size, hint, None)), path)
        else:
            if kind == DIRECTORY:
                path.mkdir()
            found = tree(remote, entry, hint, below, path if kind == DIRECTORY else out)
            need(found == (size, files), "a directory whose sizes do not add up")
        sums[0] += size
        sums[1] += files
    fields.end()
    return tuple(sums)


def main(folder, repository, root, out):
    remote, out = Remote(folder), Path(out)
    kind, identity, manifest, size, top, locator = remote.root(repository, root)
    if kind == 1:
        write_file(out, content(remote, identity, manifest, size, top, locator), False)
        return
    out.mkdir()
    found = tree(remote, identity, top, locator, out)
    need(found[0] == size, "a tree whose sizes do not add up")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (Damaged, OSError) as error:
        sys.exit(f"error: {error}")
