//! Places of addresses, from both formats.

use super::story::{MADRID, SINGAPORE, TOLEDO, places};
use crate::alerts::geo::distance_km;
use crate::alerts::{GeoError, Places};

#[test]
fn the_longest_network_decides() {
    let places = places();
    let name = |address: &str| places.of(address.parse().unwrap()).map(|p| p.name);
    assert_eq!(name(MADRID).as_deref(), Some("Madrid, ES"));
    assert_eq!(name(TOLEDO).as_deref(), Some("Toledo, ES"));
    assert_eq!(name(&format!("::ffff:{SINGAPORE}")).as_deref(), Some("Singapore, SG"));
    assert_eq!(name("8.8.8.8"), None);
    assert_eq!(name("2001:db8::1"), None);
}

#[test]
fn what_cannot_be_used_is_said() {
    let error = |text: &str| Places::from_csv(text.as_bytes()).err();
    assert_eq!(error("network,latitude\n"), Some(GeoError::NoColumn("longitude")));
    assert_eq!(
        error("network,latitude,longitude\n10.0.0.0/8,1,2\nnonsense,1,2\n"),
        Some(GeoError::BadLine(3))
    );
    assert_eq!(error("network,latitude,longitude\n10.0.0.0/8,north,2\n"), Some(GeoError::BadLine(2)));
    assert_eq!(
        error("network,latitude,longitude\n10.0.0.0/8,,\n"),
        None,
        "MaxMind leaves out what it does not know"
    );
    assert_eq!(Places::from_mmdb(b"no database".to_vec()).err(), Some(GeoError::NotMmdb));
}

#[test]
fn distances_are_those_on_the_globe() {
    let madrid_singapore = distance_km((40.4, -3.7), (1.29, 103.85));
    assert!((11_300.0..11_500.0).contains(&madrid_singapore), "{madrid_singapore}");
    assert!(distance_km((0.0, 179.9), (0.0, -179.9)) < 25.0, "over the date line");
    assert!(distance_km((40.0, 1.0), (40.0, 1.0)) < 0.001);
}

/// A database of one network, 1.0.0.0/8, written by hand after the specification of the format.
fn mmdb() -> Vec<u8> {
    fn text(t: &str) -> Vec<u8> {
        [&[0x40 | t.len() as u8][..], t.as_bytes()].concat()
    }
    fn double(n: f64) -> Vec<u8> {
        [&[0x68][..], &n.to_be_bytes()].concat()
    }
    fn map(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut out = vec![0xe0 | fields.len() as u8];
        for (name, value) in fields {
            out.extend(text(name));
            out.extend(value);
        }
        out
    }
    let u16s = |n: u8| vec![0xa1, n];
    let u32s = |n: u8| vec![0xc1, n];
    let place = map(&[
        ("country", map(&[("iso_code", text("AU"))])),
        ("location", map(&[("latitude", double(-33.9)), ("longitude", double(151.2))])),
    ]);
    // Eight nodes of two 24-bit records walk the bits 0000 0001; a record equal to their number is "unknown",
    // and what lies 16 beyond it is an offset into the data.
    let (nodes, data) = (8u32, 8 + 16u32);
    let mut tree = Vec::new();
    for bit in 0..8u32 {
        let next = if bit == 7 { data } else { bit + 1 };
        let (left, right) = if bit == 7 { (nodes, next) } else { (next, nodes) };
        for record in [left, right] {
            tree.extend(&record.to_be_bytes()[1..]);
        }
    }
    let metadata = map(&[
        ("binary_format_major_version", u16s(2)),
        ("binary_format_minor_version", u16s(0)),
        ("build_epoch", vec![0x01, 0x02, 1]),
        ("database_type", text("City")),
        ("description", vec![0xe0]),
        ("ip_version", u16s(4)),
        ("languages", vec![0x00, 0x04]),
        ("node_count", u32s(nodes as u8)),
        ("record_size", u16s(24)),
    ]);
    [&tree[..], &[0; 16], &place, b"\xab\xcd\xefMaxMind.com", &metadata].concat()
}

#[test]
fn a_maxmind_file_is_read() {
    let places = Places::from_mmdb(mmdb()).unwrap();
    let place = places.of("1.2.3.4".parse().unwrap()).unwrap();
    assert_eq!((place.latitude, place.longitude), (-33.9, 151.2));
    assert_eq!(place.name, "AU");
    assert_eq!(places.of("9.2.3.4".parse().unwrap()), None);
}
