//! The names, places and sentences that the made-up company's data is made of. Nobody in here exists; every mail
//! domain is one that is reserved for examples.

/// A country whose people the company serves.
pub(super) struct Country {
    pub(super) code: &'static str,
    pub(super) language: &'static str,
    /// How the old system's clerks wrote it.
    pub(super) spellings: &'static [&'static str],
    pub(super) given: &'static [&'static str],
    pub(super) family: &'static [&'static str],
    /// Towns with the first digits of their postcodes.
    pub(super) towns: &'static [(&'static str, &'static str)],
    pub(super) streets: &'static [&'static str],
    /// The digits after the country's prefix that a mobile number begins with, and how many follow.
    pub(super) dial: &'static str,
    pub(super) mobile: (&'static str, usize),
    /// Of a hundred customers.
    pub(super) share: u64,
}

/// The countries; their shares add up to 100.
pub(super) const COUNTRIES: &[Country] = &[
    Country {
        code: "ES",
        language: "es",
        spellings: &["ES", "Spain", "España", "ESP"],
        given: &[
            "María", "Carmen", "Antonio", "José", "Lucía", "Javier", "Ana", "Pablo", "Elena", "Íñigo",
            "Núria", "Begoña", "Joaquín", "Rocío", "Álvaro", "Aitana",
        ],
        family: &[
            "García",
            "Martínez",
            "López",
            "Muñoz",
            "Sánchez",
            "Pérez",
            "Peña",
            "Ibáñez",
            "Ruiz",
            "Núñez",
            "Castaño",
            "Vidal",
            "Echeverría",
            "Bermúdez",
            "del Río",
        ],
        towns: &[
            ("Madrid", "280"),
            ("Barcelona", "080"),
            ("Sevilla", "410"),
            ("Málaga", "290"),
            ("A Coruña", "150"),
        ],
        streets: &["Calle Mayor", "Avenida del Mar", "Plaza Nueva", "Calle del Río", "Paseo de la Estación"],
        dial: "+34",
        mobile: ("6", 8),
        share: 46,
    },
    Country {
        code: "DE",
        language: "de",
        spellings: &["DE", "Germany", "Deutschland", "DEU"],
        given: &["Anna", "Lukas", "Jürgen", "Sophie", "Jörg", "Käthe", "Felix", "Leonie", "Björn", "Mareike"],
        family: &[
            "Müller", "Schmidt", "Schäfer", "Weiß", "Köhler", "Jäger", "Böhm", "Vogel", "von Ahn", "Lindner",
        ],
        towns: &[("Berlin", "10"), ("München", "80"), ("Köln", "50"), ("Leipzig", "04")],
        streets: &["Hauptstraße", "Lindenweg", "Am Bahnhof", "Gartenstraße"],
        dial: "+49",
        mobile: ("151", 8),
        share: 15,
    },
    Country {
        code: "FR",
        language: "fr",
        spellings: &["FR", "France", "FRA"],
        given: &[
            "Camille",
            "Louis",
            "Chloé",
            "Hélène",
            "Rémi",
            "Zoé",
            "François",
            "Agnès",
            "Mathieu",
            "Noémie",
        ],
        family: &[
            "Martin",
            "Lefèvre",
            "Moreau",
            "Garçon",
            "Dubois",
            "Béranger",
            "Noël",
            "de la Tour",
            "Faure",
        ],
        towns: &[("Paris", "750"), ("Lyon", "690"), ("Nîmes", "300"), ("Brest", "292")],
        streets: &["rue de la Paix", "avenue Foch", "rue des Écoles", "place du Marché"],
        dial: "+33",
        mobile: ("61", 7),
        share: 12,
    },
    Country {
        code: "PT",
        language: "pt",
        spellings: &["PT", "Portugal", "PRT"],
        given: &["João", "Inês", "Gonçalo", "Beatriz", "Conceição", "Rui", "Mafalda", "Tiago"],
        family: &["Silva", "Gonçalves", "Magalhães", "Sousa", "Simões", "Carvalho", "Leitão"],
        towns: &[("Lisboa", "10"), ("Porto", "40"), ("Évora", "70")],
        streets: &["Rua Direita", "Avenida da Liberdade", "Rua do Sol"],
        dial: "+351",
        mobile: ("91", 7),
        share: 10,
    },
    Country {
        code: "IT",
        language: "it",
        spellings: &["IT", "Italy", "Italia", "ITA"],
        given: &["Giulia", "Marco", "Niccolò", "Chiara", "Luca", "Noè", "Francesca"],
        family: &["Rossi", "Bianchi", "D'Angelo", "Ferrari", "Nicolò", "De Luca"],
        towns: &[("Roma", "001"), ("Milano", "201"), ("Bari", "701")],
        streets: &["via Garibaldi", "corso Italia", "via della Libertà"],
        dial: "+39",
        mobile: ("333", 7),
        share: 8,
    },
    Country {
        code: "GB",
        language: "en",
        spellings: &["GB", "United Kingdom", "GBR"],
        given: &["Oliver", "Amelia", "Siân", "Zoë", "George", "Priya", "Callum"],
        family: &["Smith", "Jones", "O'Brien", "McKay", "Taylor", "Brontë", "Okoye"],
        towns: &[("London", "SW1A"), ("Leeds", "LS1"), ("Cardiff", "CF10")],
        streets: &["High Street", "Station Road", "Mill Lane"],
        dial: "+44",
        mobile: ("740", 7),
        share: 6,
    },
    Country {
        code: "PL",
        language: "pl",
        spellings: &["PL", "Poland", "Polska", "POL"],
        given: &["Zofia", "Jakub", "Małgorzata", "Łukasz", "Agnieszka"],
        family: &["Nowak", "Wiśniewski", "Dąbrowska", "Zieliński", "Kaczmarek"],
        towns: &[("Warszawa", "00"), ("Kraków", "30"), ("Łódź", "90")],
        streets: &["ulica Polna", "ulica Leśna", "aleja Róż"],
        dial: "+48",
        mobile: ("60", 7),
        share: 3,
    },
];

/// Family names with a letter that one byte of Latin-1 holds and UTF-8 does not.
pub(super) const LATIN1_FAMILIES: &[&str] = &["Muñoz", "Peña", "Müller", "Gonçalves", "Lefèvre", "Ibáñez"];

/// Branches, for the bank's file.
pub(super) const BRANCHES: &[&str] = &["Madrid, Sol", "Sevilla Este", "Valencia", "Bilbao", "Madrid, Retiro"];

/// Branches whose names hold such a letter.
pub(super) const LATIN1_BRANCHES: &[&str] = &["Málaga", "Cádiz", "A Coruña", "León"];

/// Mail domains, all reserved for examples.
pub(super) const DOMAINS: &[&str] =
    &["mail.example", "example.com", "correo.example", "example.org", "post.example", "example.net"];

/// What clerks write when they do not know.
pub(super) const SENTINELS: &[&str] = &["N/A", "n/a", "unknown", "-", "none"];

/// Telephone numbers that are none.
pub(super) const BROKEN_PHONES: &[&str] = &["12345", "call the office", "ask her son", "99 99"];

/// Remarks that nobody needs; a few hold what must never have been written there.
pub(super) const NOTES: &[&str] = &[
    "called twice, no answer",
    "prefers mornings",
    "wants a paper invoice",
    "moved in with his sister in spring",
    "very unhappy about the delay, sent flowers",
    "VIP?? ask the boss",
];

/// What tickets are about.
pub(super) const TICKETS: &[(&str, &str, &str)] = &[
    (
        "delivery",
        "Parcel has not come",
        "It should have been here on Monday. I was at home all day and nobody rang.",
    ),
    (
        "invoice",
        "Invoice shows the old address",
        "Please send it again with the address that I gave on the phone.",
    ),
    ("account", "Cannot sign in", "The page says that my password is wrong, and the mail never comes."),
    ("return", "Shoes are too small", "May I have them one size larger? The box is still closed."),
    ("product", "Lamp flickers", "It worked for a week. My doctor says that flickering light is bad for me."),
    ("other", "Thank you", "The man who brought it was so kind. Tell him."),
];

/// What a text is in Latin-1; letters beyond it become question marks, as they did then.
pub(super) fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

/// The text in plain lower-case letters, for mail addresses.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter_map(plain_letter).flat_map(char::to_lowercase).collect()
}

fn plain_letter(letter: char) -> Option<char> {
    Some(match letter {
        'á' | 'à' | 'ã' | 'ä' | 'â' | 'ą' | 'Á' | 'Ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'ę' => 'e',
        'í' | 'ì' | 'Í' | 'ï' => 'i',
        'ó' | 'ò' | 'õ' | 'ö' | 'ô' | 'Ó' => 'o',
        'ú' | 'ü' | 'ù' | 'Ú' => 'u',
        'ñ' | 'ń' => 'n',
        'ç' | 'ć' => 'c',
        'ß' | 'ś' => 's',
        'ł' | 'Ł' => 'l',
        'ź' | 'ż' => 'z',
        plain if plain.is_ascii_alphanumeric() => plain,
        _ => return None,
    })
}
