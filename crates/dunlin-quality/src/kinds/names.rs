//! What a column's name says, in English, Spanish, French, German and Portuguese. Words are compared without case and
//! marks; `firstName`, `first_name` and `FIRSTNAME` are the same.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Kind and the words that name it. A word in several parts is written with blanks.
const WORDS: [(&str, &str); 30] = [
    (
        "credential",
        "password|passwd|pwd|pass word|password hash|pass hash|secret|api key|access token|auth token|token|contrasena|clave|mot de passe|passwort|kennwort|senha|pin|private key|security answer|otp secret|salt",
    ),
    (
        "email",
        "email|e mail|mail|email address|correo|correo electronico|courriel|mel|adresse mail|mail adresse|emailadresse|correio|endereco de email",
    ),
    ("iban", "iban"),
    (
        "card_number",
        "card number|card no|cardnumber|credit card|creditcard|cc number|ccnum|pan|tarjeta|numero tarjeta|carte bancaire|numero carte|kreditkarte|kartennummer|cartao|numero cartao",
    ),
    ("us_ssn", "ssn|social security number|social security no|socialsecurity|social security"),
    (
        "ip_address",
        "ip|ip address|ipaddress|ip addr|ipv4|ipv6|remote addr|client ip|last ip|direccion ip|adresse ip",
    ),
    ("mac_address", "mac|mac address|macaddress|mac addr"),
    ("url", "url|website|web site|homepage|link|web|pagina web|sitio web|site web|webseite"),
    (
        "national_id",
        "national id|nationalid|dni|nie|identity card|id card|id number|identity number|cedula|documento identidad|carte identite|nir|personalausweis|ausweisnummer|cpf|bilhete identidade|nino|ni number|pesel|insee|numero securite sociale|versicherungsnummer|curp|nss",
    ),
    (
        "tax_id",
        "tax id|taxid|tax number|tin|nif|cif|vat number|vat id|vat|ein|rfc|steuernummer|steuer id|steuerid|ust id|ustid|numero fiscal|siret|siren|cnpj|contribuinte|identificacion fiscal|codice fiscale",
    ),
    ("passport", "passport|passport number|passport no|pasaporte|passeport|reisepass|passaporte|passnummer"),
    (
        "driving_licence",
        "driving licence|driving license|driver license|drivers license|driver licence|licence number|permiso conducir|carnet conducir|permis conduire|fuhrerschein|carta conducao|cnh",
    ),
    (
        "birth_date",
        "birth date|birthdate|date of birth|dob|birthday|born|born on|birth|bdate|fecha nacimiento|fecha de nacimiento|nacimiento|f nac|fec nac|fnac|date naissance|date de naissance|naissance|geburtsdatum|geburtstag|geb datum|gebdat|data nascimento|data de nascimento|nascimento",
    ),
    (
        "phone",
        "phone|phone number|telephone|tel|telefono|tlf|tfno|mobile|mobile number|cell|cellphone|movil|celular|fax|portable|telefon|telefonnummer|handy|mobil|rufnummer|telefone|telemovel|gsm|whatsapp|msisdn",
    ),
    ("bic", "bic|swift|swift code|bic code"),
    (
        "account_number",
        "account number|account no|accountno|bank account|acct|acct no|acct number|numero cuenta|cuenta bancaria|cuenta|ccc|numero compte|compte bancaire|kontonummer|konto|numero conta|conta bancaria|sort code|routing number",
    ),
    (
        "postcode",
        "postcode|post code|postal code|postalcode|zip|zip code|zipcode|codigo postal|cod postal|code postal|plz|postleitzahl|cep|cp",
    ),
    (
        "country",
        "country|country code|pais|pays|land|landercode|nation|nacionalidad|nationality|nationalite|nationalitat|nacionalidade|staat",
    ),
    (
        "given_name",
        "first name|firstname|fname|given name|givenname|forename|nombre|nombre pila|prenom|vorname|primeiro nome|first|middle name|segundo nombre",
    ),
    (
        "family_name",
        "last name|lastname|lname|surname|family name|familyname|apellido|apellidos|apellido1|apellido2|nom famille|nom de famille|nachname|familienname|zuname|sobrenome|apelido|maiden name",
    ),
    (
        "person_name",
        "full name|fullname|person name|customer name|client name|contact name|holder name|cardholder|nombre completo|nombre cliente|nom complet|nom|vollstandiger name|kundenname|nome completo|nome|name|holder|titular|contact",
    ),
    (
        "city",
        "city|town|ciudad|localidad|poblacion|municipio|ville|commune|stadt|ort|wohnort|cidade|localidade",
    ),
    ("age", "age|edad|alter|idade"),
    ("gender", "gender|sex|sexo|genero|genre|sexe|geschlecht"),
    (
        "geo",
        "lat|latitude|lng|lon|long|longitude|geo|gps|coordinates|coords|latitud|longitud|coordenadas|breitengrad|langengrad",
    ),
    (
        "postal_address",
        "address|addr|street|address line|address1|address2|street address|home address|direccion|domicilio|calle|adresse|rue|anschrift|strasse|hausnummer|endereco|morada|rua|postal address",
    ),
    (
        "device_id",
        "device id|deviceid|imei|imsi|advertising id|idfa|gaid|device uuid|serial number|cookie id|android id",
    ),
    (
        "health_code",
        "icd|icd10|icd 10|icd9|icd code|diagnosis|diagnosis code|diagnostico|diagnostic|diagnose|cie10|snomed|medication|procedure code|allergy|allergies|blood type|blood group|grupo sanguineo|blutgruppe|patient number|mrn|medical record number",
    ),
    (
        "special_category",
        "religion|religious|ethnicity|ethnic|race|raza|political|politics|union member|trade union|sindicato|sexual orientation|orientacion sexual|biometric|genetic|disability|discapacidad|handicap|konfession|religionszugehorigkeit|etnia|raca|party affiliation|health|salud|sante|gesundheit|criminal record",
    ),
    (
        "free_text",
        "note|notes|comment|comments|remark|remarks|description|memo|observaciones|observacion|notas|nota|comentario|comentarios|commentaire|remarque|bemerkung|bemerkungen|notiz|notizen|anmerkung|observacoes|message|free text|feedback",
    ),
];

/// Words that name a thing's property; in such a company neither `name` nor `email` is a person's.
const THINGS: [&str; 22] = [
    "product", "file", "table", "column", "company", "store", "item", "host", "domain", "brand", "plan",
    "event", "status", "type", "count", "flag", "verified", "sent", "template", "category", "producto",
    "empresa",
];

/// A column's name, taken apart.
pub(super) struct Name {
    parts: Vec<String>,
}

/// How strongly a name says a kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    pub(super) word: &'static str,
    pub(super) strength: f64,
}

impl Name {
    pub(super) fn new(name: &str) -> Self {
        Self { parts: parts(name) }
    }

    /// The strongest word of this kind in the name: alone it is surer than among others.
    pub(super) fn says(&self, kind: &str) -> Option<Said> {
        let words = WORDS.iter().filter(|(k, _)| *k == kind).flat_map(|(_, words)| words.split('|'));
        let said = words.filter_map(|word| self.strength(word).map(|strength| Said { word, strength }));
        said.max_by(|a, b| a.strength.total_cmp(&b.strength).then(b.word.len().cmp(&a.word.len())))
    }

    fn strength(&self, word: &'static str) -> Option<f64> {
        let compact = word.replace(' ', "");
        if self.parts.concat() == compact {
            return Some(0.97);
        }
        // `id` behind a word names a reference; a thing's word names a thing's property.
        if self.parts.iter().any(|p| THINGS.contains(&p.as_str())) {
            return None;
        }
        let found = (0..self.parts.len())
            .any(|from| (from + 1..=self.parts.len()).any(|to| self.parts[from..to].concat() == compact));
        let reference = self.parts.last().is_some_and(|p| matches!(p.as_str(), "id" | "ref" | "key"));
        match found {
            true if reference && !word.ends_with("id") => None,
            // A short or very common word among others is weak: `web`, `land`, `name`.
            true if compact.len() <= 4 => Some(0.8),
            true => Some(0.9),
            false => None,
        }
    }
}

fn parts(name: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut before = ' ';
    for letter in name.replace('ß', "ss").nfd().filter(|c| !is_combining_mark(*c)) {
        let starts = !before.is_alphanumeric() || (before.is_lowercase() && letter.is_uppercase());
        if letter.is_alphanumeric() {
            match parts.last_mut().filter(|_| !starts) {
                Some(part) => part.extend(letter.to_lowercase()),
                None => parts.push(letter.to_lowercase().collect()),
            }
        }
        before = letter;
    }
    parts
}
