//! The page behind the link that ends a stream: a button, and after it a sentence. It works without scripts.

use askama::Template;

use super::{RenderError, filled};
use crate::vocabulary::Lang;

/// The words of the page in one language.
struct PageWords {
    title: &'static str,
    ask: &'static str,
    button: &'static str,
    done: &'static str,
    kept: &'static str,
}

const fn words(lang: Lang) -> PageWords {
    match lang {
        Lang::En => PageWords {
            title: "Stop these messages",
            ask: "Press the button, and you get no more news from us.",
            button: "Stop these messages",
            done: "Done. You get no more news from us.",
            kept: "What the law obliges us to tell you about your data, we will still tell you.",
        },
        Lang::Es => PageWords {
            title: "Dejar de recibir estos mensajes",
            ask: "Pulse el botón y no recibirá más novedades nuestras.",
            button: "No quiero más mensajes",
            done: "Hecho. No recibirá más novedades nuestras.",
            kept: "Lo que la ley nos obliga a comunicarle sobre sus datos se lo seguiremos comunicando.",
        },
        Lang::De => PageWords {
            title: "Diese Nachrichten abbestellen",
            ask: "Drücken Sie den Knopf, und Sie bekommen keine Neuigkeiten mehr von uns.",
            button: "Nachrichten abbestellen",
            done: "Erledigt. Sie bekommen keine Neuigkeiten mehr von uns.",
            kept: "Was wir Ihnen von Gesetzes wegen über Ihre Daten sagen müssen, sagen wir Ihnen weiterhin.",
        },
        Lang::Fr => PageWords {
            title: "Ne plus recevoir ces messages",
            ask: "Appuyez sur le bouton et vous ne recevrez plus nos nouvelles.",
            button: "Arrêter ces messages",
            done: "C’est fait. Vous ne recevrez plus nos nouvelles.",
            kept: "Ce que la loi nous oblige à vous dire sur vos données, nous vous le dirons toujours.",
        },
    }
}

#[derive(Template)]
#[template(path = "unsubscribe.html")]
struct UnsubscribeTemplate<'a> {
    lang: Lang,
    company: &'a str,
    words: PageWords,
    done: bool,
}

/// The whole page. The form has no address of its own: it is sent to where the page came from, token and all. The page
/// allows `form-action 'self'` and needs nothing else.
///
/// # Errors
/// Never but for a defect.
pub fn unsubscribe_page(company: &str, lang: Lang, done: bool) -> Result<String, RenderError> {
    filled(&UnsubscribeTemplate { lang, company, words: words(lang), done }, "page for unsubscribing")
}
