//! The kinds and purposes of a plan in the words of people, and in the terms of the W3C Data Privacy Vocabulary.

use dunlin_plan::Kind;

use crate::vocabulary::Lang;

/// A group of kinds, as people think of their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Names, birth, gender.
    Identity,
    /// How somebody is reached.
    Contact,
    /// Numbers that a state gives.
    Official,
    /// Cards and accounts.
    Payment,
    /// Devices and addresses on networks.
    Online,
    /// Health, beliefs and the rest of GDPR Art. 9.
    Special,
    /// Passwords and keys.
    Access,
    /// What somebody wrote.
    Written,
}

/// The group of a kind; none for [`Kind::None`].
pub fn category(kind: Kind) -> Option<Category> {
    Some(match kind {
        Kind::None => return None,
        Kind::PersonName | Kind::GivenName | Kind::FamilyName => Category::Identity,
        Kind::BirthDate | Kind::Age | Kind::Gender => Category::Identity,
        Kind::Email | Kind::Phone | Kind::PostalAddress => Category::Contact,
        Kind::City | Kind::Postcode | Kind::Country => Category::Contact,
        Kind::UsSsn | Kind::NationalId | Kind::TaxId | Kind::Passport | Kind::DrivingLicence => {
            Category::Official
        }
        Kind::CardNumber | Kind::Iban | Kind::Bic | Kind::AccountNumber => Category::Payment,
        Kind::IpAddress | Kind::MacAddress | Kind::Url | Kind::DeviceId | Kind::Geo => Category::Online,
        Kind::HealthCode | Kind::SpecialCategory => Category::Special,
        Kind::Credential => Category::Access,
        Kind::FreeText => Category::Written,
    })
}

/// The kind as one says "your …"; in Spanish with its possessive. None in the languages that have no draft.
pub fn kind_words(lang: Lang, kind: Kind) -> Option<&'static str> {
    let (en, es) = match kind {
        Kind::PersonName => ("name", "su nombre"),
        Kind::GivenName => ("first name", "su nombre de pila"),
        Kind::FamilyName => ("surname", "sus apellidos"),
        Kind::Email => ("e-mail address", "su correo electrónico"),
        Kind::Phone => ("telephone number", "su teléfono"),
        Kind::PostalAddress => ("street address", "su dirección"),
        Kind::City => ("town", "su localidad"),
        Kind::Postcode => ("postcode", "su código postal"),
        Kind::Country => ("country", "su país"),
        Kind::BirthDate => ("date of birth", "su fecha de nacimiento"),
        Kind::Age => ("age", "su edad"),
        Kind::Gender => ("gender", "su género"),
        Kind::UsSsn => ("social security number", "su número de la seguridad social"),
        Kind::NationalId => ("national identity number", "su documento de identidad"),
        Kind::TaxId => ("tax number", "su número fiscal"),
        Kind::Passport => ("passport number", "su pasaporte"),
        Kind::DrivingLicence => ("driving licence number", "su permiso de conducir"),
        Kind::CardNumber => ("card number", "su número de tarjeta"),
        Kind::Iban => ("bank account (IBAN)", "su cuenta bancaria (IBAN)"),
        Kind::Bic => ("bank", "su banco"),
        Kind::AccountNumber => ("account number", "su número de cuenta"),
        Kind::IpAddress => ("internet address (IP)", "su dirección de internet (IP)"),
        Kind::MacAddress => ("device address (MAC)", "la dirección de su aparato (MAC)"),
        Kind::Url => ("web address", "su dirección web"),
        Kind::DeviceId => ("device number", "el número de su aparato"),
        Kind::Geo => ("location", "su ubicación"),
        Kind::HealthCode => ("health data", "sus datos de salud"),
        Kind::SpecialCategory => ("specially protected data", "sus datos de protección especial"),
        Kind::Credential => ("password or key", "su contraseña o clave"),
        Kind::FreeText => ("messages to us", "sus mensajes para nosotros"),
        Kind::None => return None,
    };
    match lang {
        Lang::En => Some(en),
        Lang::Es => Some(es),
        Lang::De | Lang::Fr => None,
    }
}

/// The term of the DPV's extension for personal data (PD 2.0, `https://w3id.org/dpv/pd#`).
pub fn pd_term(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::PersonName | Kind::GivenName | Kind::FamilyName => "pd:Name",
        Kind::Email => "pd:EmailAddress",
        Kind::Phone => "pd:TelephoneNumber",
        Kind::PostalAddress => "pd:PhysicalAddress",
        Kind::City => "pd:City",
        Kind::Postcode => "pd:Locality",
        Kind::Country => "pd:Country",
        Kind::BirthDate => "pd:BirthDate",
        Kind::Age => "pd:Age",
        Kind::Gender => "pd:Gender",
        Kind::UsSsn | Kind::NationalId | Kind::TaxId | Kind::DrivingLicence => "pd:OfficialID",
        Kind::Passport => "pd:Passport",
        Kind::CardNumber => "pd:PaymentCardNumber",
        Kind::Iban | Kind::Bic => "pd:BankAccount",
        Kind::AccountNumber => "pd:AccountIdentifier",
        Kind::IpAddress => "pd:IPAddress",
        Kind::MacAddress => "pd:MACAddress",
        Kind::Url => "pd:Identifier",
        Kind::DeviceId => "pd:DeviceBased",
        Kind::Geo => "pd:Location",
        Kind::HealthCode => "pd:MedicalHealth",
        Kind::SpecialCategory => "dpv:SpecialCategoryPersonalData",
        Kind::Credential => "pd:Authenticating",
        Kind::FreeText => "pd:Communication",
        Kind::None => return None,
    })
}

/// A purpose of the DPV 2.0 (module "purposes") as "to …"; none for a term or language without words.
pub fn purpose_words(lang: Lang, term: &str) -> Option<&'static str> {
    let (en, es) = match term.strip_prefix("dpv:").unwrap_or(term) {
        "ServiceProvision" => ("to give you our service", "prestarle nuestro servicio"),
        "RequestedServiceProvision" => ("to do what you asked us for", "hacer lo que nos ha pedido"),
        "ServiceRegistration" => ("to open your account", "abrir su cuenta"),
        "CustomerManagement" => ("to look after your account", "llevar su cuenta"),
        "CustomerCare" => ("to help you when you ask us", "ayudarle cuando nos pregunta"),
        "CustomerOrderManagement" => ("to handle your orders", "gestionar sus pedidos"),
        "CustomerClaimsManagement" => ("to handle your complaints", "atender sus reclamaciones"),
        "CommunicationForCustomerCare" => ("to answer you", "responderle"),
        "DeliveryOfGoods" => ("to deliver what you buy", "entregarle lo que compra"),
        "PaymentManagement" => ("to handle your payments", "gestionar sus pagos"),
        "AccountManagement" => ("to look after your account", "llevar su cuenta"),
        "LegalCompliance" => ("to do what the law asks of us", "cumplir lo que la ley nos pide"),
        "FulfilmentOfContractualObligation" => {
            ("to keep our contract with you", "cumplir nuestro contrato con usted")
        }
        "RecordManagement" => ("to keep our records in order", "mantener en orden nuestros registros"),
        "FraudPreventionAndDetection" => ("to find and stop fraud", "detectar y evitar el fraude"),
        "EnforceSecurity" => ("to keep your data safe", "proteger sus datos"),
        "IdentityVerification" => ("to make sure that you are you", "comprobar que usted es usted"),
        "CreditChecking" => ("to check your credit", "comprobar su solvencia"),
        "DirectMarketing" => ("to send you our offers", "enviarle nuestras ofertas"),
        "Marketing" => ("to tell people about what we sell", "dar a conocer lo que vendemos"),
        "PersonalisedAdvertising" => {
            ("to choose the advertising that you see", "elegir la publicidad que ve")
        }
        "Personalisation" => ("to fit our service to you", "adaptar nuestro servicio a usted"),
        "ServiceOptimisation" => ("to make our service better", "mejorar nuestro servicio"),
        "ServiceUsageAnalytics" => ("to see how our service is used", "ver cómo se usa nuestro servicio"),
        "ResearchAndDevelopment" => ("to make new products", "crear nuevos productos"),
        _ => return None,
    };
    match lang {
        Lang::En => Some(en),
        Lang::Es => Some(es),
        Lang::De | Lang::Fr => None,
    }
}
