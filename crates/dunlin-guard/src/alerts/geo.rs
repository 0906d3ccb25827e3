//! Where addresses are: a GeoIP file that somebody has given, MaxMind's format (`.mmdb`) or a CSV with the columns
//! `network`, `latitude`, `longitude` and, if there, `name` or `city_name` and `country_iso_code`.
//!
//! dunlin brings no such file and asks no service. Addresses never leave the state; names of places may.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

/// Why a GeoIP file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GeoError {
    /// It could not be read.
    #[error("the GeoIP file could not be read: {0}")]
    Io(std::io::ErrorKind),
    /// It is no MaxMind file.
    #[error("the GeoIP file is not in MaxMind's format")]
    NotMmdb,
    /// The CSV lacks a column.
    #[error("the GeoIP file has no column `{0}`; it needs network, latitude and longitude")]
    NoColumn(&'static str),
    /// A line of the CSV is not right.
    #[error("line {0} of the GeoIP file holds no network or no coordinates")]
    BadLine(u64),
}

/// A place.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Its name, e.g. `Madrid, ES`.
    pub name: String,
}

/// Places of addresses.
pub struct Places(Kind);

enum Kind {
    Mmdb(maxminddb::Reader<Vec<u8>>),
    /// Networks by their first address, one map for each prefix length, the longest tried first.
    Csv(BTreeMap<u8, BTreeMap<IpAddr, Place>>),
}

impl Places {
    /// Reads a file, told by its ending.
    pub fn open(path: &Path) -> Result<Places, GeoError> {
        let bytes = std::fs::read(path).map_err(|e| GeoError::Io(e.kind()))?;
        let is_csv = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
        if is_csv { Places::from_csv(&bytes) } else { Places::from_mmdb(bytes) }
    }

    /// A MaxMind file (GeoLite2-City and those made like it).
    pub fn from_mmdb(bytes: Vec<u8>) -> Result<Places, GeoError> {
        maxminddb::Reader::from_source(bytes).map(|r| Places(Kind::Mmdb(r))).map_err(|_| GeoError::NotMmdb)
    }

    /// A CSV with a head line.
    pub fn from_csv(bytes: &[u8]) -> Result<Places, GeoError> {
        let mut reader = csv::Reader::from_reader(bytes);
        let head = reader.headers().map_err(|_| GeoError::BadLine(1))?.clone();
        let find = |name: &str| head.iter().position(|h| h.trim() == name);
        let need = |name: &'static str| find(name).ok_or(GeoError::NoColumn(name));
        let (network, lat, lon) = (need("network")?, need("latitude")?, need("longitude")?);
        let (city, country) = (find("name").or(find("city_name")), find("country_iso_code"));
        let mut map: BTreeMap<u8, BTreeMap<IpAddr, Place>> = BTreeMap::new();
        for (line, record) in (2..).zip(reader.records()) {
            let record = record.map_err(|_| GeoError::BadLine(line))?;
            let get = |at: usize| record.get(at).unwrap_or_default().trim();
            // MaxMind leaves coordinates empty where it knows none.
            if get(lat).is_empty() || get(lon).is_empty() {
                continue;
            }
            let bad = || GeoError::BadLine(line);
            let net: IpNet = get(network).parse().map_err(|_| bad())?;
            let number = |at: usize| get(at).parse::<f64>().ok().filter(|n| n.is_finite());
            let (latitude, longitude) = (number(lat).ok_or_else(bad)?, number(lon).ok_or_else(bad)?);
            let names = [city.map(get), country.map(get)];
            let place = Place { latitude, longitude, name: named(&names, latitude, longitude) };
            map.entry(net.prefix_len()).or_default().insert(net.network(), place);
        }
        Ok(Places(Kind::Csv(map)))
    }

    /// Where an address is, when the file knows it.
    pub fn of(&self, address: IpAddr) -> Option<Place> {
        let address = address.to_canonical();
        match &self.0 {
            Kind::Mmdb(reader) => mmdb(reader, address),
            Kind::Csv(map) => map.iter().rev().find_map(|(length, nets)| {
                let net = IpNet::new(address, *length).ok()?;
                nets.get(&net.network()).cloned()
            }),
        }
    }
}

fn mmdb(reader: &maxminddb::Reader<Vec<u8>>, address: IpAddr) -> Option<Place> {
    let city: maxminddb::geoip2::City = reader.lookup(address).ok()?.decode().ok()??;
    let (latitude, longitude) = (city.location.latitude?, city.location.longitude?);
    let names = [city.city.names.english, city.country.iso_code];
    Some(Place { latitude, longitude, name: named(&names, latitude, longitude) })
}

fn named(names: &[Option<&str>], latitude: f64, longitude: f64) -> String {
    let known: Vec<&str> = names.iter().flatten().copied().filter(|n| !n.is_empty()).collect();
    if known.is_empty() { format!("{latitude:.1}, {longitude:.1}") } else { known.join(", ") }
}

/// Kilometres between two places (degrees) over a sphere, by the haversine formula.
pub(super) fn distance_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    const EARTH_KM: f64 = 6371.0;
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let (d_lat, d_lon) = (lat_b - lat_a, (b.1 - a.1).to_radians());
    let h = (d_lat / 2.0).sin().powi(2) + lat_a.cos() * lat_b.cos() * (d_lon / 2.0).sin().powi(2);
    2.0 * EARTH_KM * h.sqrt().clamp(0.0, 1.0).asin()
}
