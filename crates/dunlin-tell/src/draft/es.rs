//! The draft in Spanish.

use dunlin_plan::{Basis, Protect};
use jiff::civil::Date;

use super::{Part, Phrases};
use crate::facts::{Category, Length, Unit};
use crate::notice::question;
use crate::vocabulary::{Lang, SlotName, When};
use crate::words;

pub(super) struct Spanish;

fn list(parts: &[String]) -> String {
    words::list(Lang::Es, parts)
}

fn day(date: Date) -> String {
    words::date(Lang::Es, date)
}

/// The first letter as a capital.
fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

impl Phrases for Spanish {
    fn headline(&self, begins: Option<Date>) -> String {
        match begins {
            Some(date) => format!("Trasladamos sus datos a un nuevo sistema el {}", day(date)),
            None => format!("Trasladamos sus datos a un nuevo sistema {}", question("¿qué día?")),
        }
    }

    fn first_changes(&self, from: &[String], to: &[String], processors: &[String]) -> String {
        let place = match (from.is_empty(), to.is_empty()) {
            (_, true) => format!("Guardaremos sus datos en un nuevo sistema {}", question("¿en qué país?")),
            (true, false) => format!("Guardaremos sus datos en {}", list(to)),
            (false, false) if from == to => {
                format!("Guardaremos sus datos en un nuevo sistema, como hasta ahora en {}", list(to))
            }
            (false, false) => format!("Guardaremos sus datos en {} en lugar de {}", list(to), list(from)),
        };
        match processors {
            [] => format!("{place}."),
            [one] => format!("{place}. {one} llevará los servidores por encargo nuestro."),
            some => format!("{place}. {} llevarán los servidores por encargo nuestro.", list(some)),
        }
    }

    fn first_stays(&self) -> String {
        question(
            "¿qué sigue igual para sus clientes? Por ejemplo, para qué usa los datos y quién puede verlos.",
        )
    }

    fn first_you_can(&self) -> String {
        "Puede ver, corregir, descargar o borrar sus datos, antes y después del traslado.".to_owned()
    }

    fn subject(&self, when: When) -> String {
        match when {
            When::Before => "Trasladamos sus datos: qué cambia para usted",
            When::During => "Hoy trasladamos sus datos",
            When::After => "Hemos trasladado sus datos",
        }
        .to_owned()
    }

    fn heading(&self, part: Part) -> &'static str {
        match part {
            Part::Moves => "Qué trasladamos",
            Part::Left => "Qué se queda atrás",
            Part::When => "Cuándo",
            Part::YouCan => "Qué puede hacer",
        }
    }

    fn category(&self, category: Category) -> &'static str {
        match category {
            Category::Identity => "Quién es usted",
            Category::Contact => "Cómo le localizamos",
            Category::Official => "Números oficiales",
            Category::Payment => "Pagos",
            Category::Online => "Sus aparatos y su ubicación",
            Category::Special => "Datos de protección especial",
            Category::Access => "Cómo entra en su cuenta",
            Category::Written => "Lo que nos ha escrito",
        }
    }

    fn protected(&self, protect: Protect) -> &'static str {
        match protect {
            Protect::Mask => "oculto en parte en el nuevo sistema",
            Protect::Hash => "guardado solo como un código que no se puede deshacer",
            Protect::Tokenise => "sustituido por otro valor en el nuevo sistema",
            Protect::Encrypt => "cifrado en el nuevo sistema",
            Protect::Format | Protect::Fake => "sustituido por un valor inventado en el nuevo sistema",
            Protect::Shift => "movido unos días en el nuevo sistema",
            Protect::General => "guardado solo de forma aproximada en el nuevo sistema",
            Protect::Remove => "no se guarda en el nuevo sistema",
        }
    }

    fn move_sentence(&self, company: &str, from: &[String], to: &[String]) -> String {
        let place = match (from.is_empty(), to.is_empty()) {
            (false, false) if from != to => format!(", de {} a {}", list(from), list(to)),
            (_, false) => format!(", en {}", list(to)),
            _ => String::new(),
        };
        let who = match company {
            "" => "Trasladamos los datos de nuestros clientes".to_owned(),
            name => format!("{name} traslada los datos de sus clientes"),
        };
        format!("{who} a un nuevo sistema{place}. En esta página le contamos qué significa para usted.")
    }

    fn moves_intro(&self) -> &'static str {
        "Esto es lo que trasladamos, si usted nos lo ha dado:"
    }

    fn left_intro(&self) -> &'static str {
        "Esto no lo llevamos con nosotros:"
    }

    fn left_item(&self, column: &str, reason: &str) -> String {
        let reason = reason.trim_end_matches('.');
        question(&format!(
            "explique con palabras de sus clientes por qué se queda atrás «{column}»; el plan dice: {reason}"
        ))
    }

    fn left_nothing(&self) -> String {
        question("el plan no deja atrás ninguna columna de estas tablas; ¿se queda atrás otra cosa?")
    }

    fn merged(&self) -> &'static str {
        "Si tenemos sus datos dos veces, los unimos en un solo registro."
    }

    fn when(&self, begins: Option<Date>, ends: Option<Date>) -> String {
        match (begins, ends) {
            (Some(begins), Some(ends)) if begins != ends => {
                format!("El traslado empieza el {} y termina el {}.", day(begins), day(ends))
            }
            (Some(begins), _) => format!("El traslado tiene lugar el {}.", day(begins)),
            (None, _) => question("¿en qué días hace el traslado?"),
        }
    }

    fn old_copy(&self, until: Option<Date>) -> String {
        match until {
            Some(date) => format!("Borramos la copia del sistema antiguo el {}.", day(date)),
            None => question("¿qué día borra la copia del sistema antiguo?"),
        }
    }

    fn you_can(&self, contact: Option<&str>) -> String {
        let first = "No tiene que hacer nada. Si quiere, puede ver sus datos, corregirlos, descargarlos, borrarlos o \
                     cambiar para qué los usamos. Cada cosa se hace en dos toques.";
        match contact {
            Some(address) => format!("{first}\n\nTambién puede escribir a una persona: {address}."),
            None => format!("{first}\n\n{}", question("¿a qué dirección pueden escribir sus clientes?")),
        }
    }

    fn ask_unclassified(&self, columns: &str) -> String {
        format!(
            "estas columnas se trasladan y el plan no dice qué contienen; nómbrelas con palabras de sus clientes o deles un tipo: {columns}"
        )
    }

    fn ask_some_rows(&self, table: &str, sql: &str) -> String {
        format!(
            "no se trasladan todas las filas de {table}, solo aquellas en que {sql}; ¿a quién deja fuera?"
        )
    }

    fn controller(&self, controller: Option<&str>, contact: Option<&str>) -> String {
        match (controller, contact) {
            (Some(who), Some(address)) => {
                format!("{who} decide qué se hace con sus datos. Escriba a {address}.")
            }
            (Some(who), None) => {
                format!(
                    "{who} decide qué se hace con sus datos. {}",
                    question("¿cómo le localizan sus clientes?")
                )
            }
            (None, _) => question("¿qué empresa decide sobre los datos y cómo se la localiza?"),
        }
    }

    fn purposes(&self, known: &[String], unknown: &[String]) -> String {
        let mut text = match known {
            [] => String::new(),
            some => format!("Usamos sus datos para {}.", list(some)),
        };
        if !unknown.is_empty() {
            let ask = question(&format!("¿qué es {} con palabras de sus clientes?", unknown.join(", ")));
            text = format!("{text} {ask}");
        }
        text.trim().to_owned()
    }

    fn bases(&self, bases: &[Basis]) -> String {
        let say = |basis: &Basis| match basis {
            Basis::Consent => "Usted nos ha dado permiso (RGPD, art. 6.1.a).",
            Basis::Contract => "Los necesitamos para nuestro contrato con usted (RGPD, art. 6.1.b).",
            Basis::LegalObligation => "La ley nos lo pide (RGPD, art. 6.1.c).",
            Basis::VitalInterests => "Protege la vida de una persona (RGPD, art. 6.1.d).",
            Basis::PublicTask => "Es parte de una tarea pública (RGPD, art. 6.1.e).",
            Basis::LegitimateInterests => "Tenemos una buena razón que no le perjudica (RGPD, art. 6.1.f).",
        };
        bases.iter().map(say).collect::<Vec<_>>().join(" ")
    }

    fn basis_not(&self, slot: SlotName) -> &'static str {
        match slot {
            SlotName::WithdrawConsent => "porque nada de esto se basa en su consentimiento",
            _ => "porque nada de esto se basa en nuestros propios intereses",
        }
    }

    fn recipients(&self, processors: &[(String, Option<String>)]) -> String {
        let say = |(who, place): &(String, Option<String>)| match place {
            Some(place) => {
                format!("{who} lleva nuestros servidores en {place}. Solo trabaja por encargo nuestro.")
            }
            None => format!("{who} lleva nuestros servidores. Solo trabaja por encargo nuestro."),
        };
        processors.iter().map(say).collect::<Vec<_>>().join(" ")
    }

    fn transfers_inside(&self, regions: &[String]) -> String {
        format!("porque sus datos siguen dentro del Espacio Económico Europeo ({})", regions.join(", "))
    }

    fn transfers_outside(&self, regions: &[String]) -> String {
        let ask = question(
            "¿qué protege los datos allí (una decisión de la Comisión, cláusulas tipo) y dónde se puede obtener una copia?",
        );
        format!("Sus datos estarán en {}. {ask}", list(regions))
    }

    fn kept(&self, length: &Length, table: &str) -> String {
        let unit = match (length.unit, length.count) {
            (Unit::Year, 1) => "año",
            (Unit::Year, _) => "años",
            (Unit::Month, 1) => "mes",
            (Unit::Month, _) => "meses",
            (Unit::Week, 1) => "semana",
            (Unit::Week, _) => "semanas",
            (Unit::Day, 1) => "día",
            (Unit::Day, _) => "días",
        };
        let ask = question(&format!(
            "el plan cuenta el plazo de {table} desde `{}`: ¿qué día es ese para sus clientes?",
            length.from
        ));
        format!("Los guardamos {} {unit}. {ask}", length.count)
    }

    fn kept_unread(&self, sql: &str, table: &str) -> String {
        question(&format!(
            "el plan guarda {table} hasta `{sql}`: ¿cuánto tiempo es, con palabras de sus clientes?"
        ))
    }

    fn rights(&self) -> &'static str {
        "Puede pedirnos que le mostremos sus datos, que los corrijamos o que los borremos. Puede pedirnos que dejemos \
         de usarlos o que se los demos en un archivo, a usted o a otra empresa. Puede oponerse a lo que hacemos con \
         ellos. Es gratis."
    }

    fn withdraw(&self) -> &'static str {
        "Si nos ha dado permiso, puede cambiar de idea cuando quiera. Lo que hicimos antes sigue siendo legal."
    }

    fn categories(&self, kinds: &[String], special: bool) -> String {
        let text = format!("{}.", capital(&list(kinds)));
        match special {
            false => text,
            true => format!(
                "{text} {}",
                question("parte de esto tiene protección especial: ¿qué condición del art. 9.2 lo permite?")
            ),
        }
    }

    fn source(&self, enriched: bool) -> String {
        let ask = match enriched {
            true => "el traslado añade datos de otros sistemas: ¿los han dado todos los propios clientes?",
            false => "¿han dado los propios clientes todos estos datos? Si no, ¿de dónde vienen?",
        };
        question(ask)
    }

    fn ask(&self, slot: SlotName) -> &'static str {
        match slot {
            SlotName::Controller => "¿quién decide sobre los datos?",
            SlotName::Representative => {
                "¿tiene un representante en la Unión (art. 27)? Si está establecido en ella, no procede."
            }
            SlotName::Dpo => {
                "¿cómo localizan los clientes a su delegado de protección de datos? Si no lo necesita, diga por qué."
            }
            SlotName::Purposes => "¿para qué usa los datos?",
            SlotName::LegalBasis => "¿en qué base del art. 6 del RGPD se apoya?",
            SlotName::LegitimateInterests => {
                "¿qué intereses suyos son y por qué no perjudican a los clientes?"
            }
            SlotName::Categories => "¿qué datos son? El plan no da un tipo a ninguna columna.",
            SlotName::Recipients => "¿quién más recibe los datos o lleva sistemas por su encargo?",
            SlotName::Transfers => {
                "¿en qué países estarán los datos? El plan no lo dice de todos los almacenes."
            }
            SlotName::Retention => "¿cuánto tiempo guarda los datos o cómo se decide?",
            SlotName::Rights => "¿qué derechos tienen los clientes y cómo los usan?",
            SlotName::WithdrawConsent => {
                "¿cómo retiran los clientes su consentimiento, donde usted se apoya en él?"
            }
            SlotName::Complaint => "¿ante qué autoridad pueden reclamar los clientes y en qué dirección?",
            SlotName::Obligation => {
                "¿están obligados los clientes a darle los datos y qué pasa si no lo hacen?"
            }
            SlotName::Source => "¿de dónde tiene los datos?",
            SlotName::AutomatedDecisions => {
                "¿decide una máquina sola algo importante para los clientes (art. 22)? Si es así, ¿con qué lógica y con qué efecto?"
            }
            SlotName::FurtherPurpose => "¿va a usar los datos para algo nuevo? Si no, dígalo.",
        }
    }
}
