//! Given names that stand for each other: short forms and the forms of one name in several languages. A small list of
//! common knowledge, not a source on names: a name that it lacks is told by its letters.

use std::collections::HashMap;

/// One line a name; its forms in normal form (lower case, no marks).
const FORMS: &str = "
abigail abby abbie gail
abraham abe bram
adam adan
adelaide addie adela
agnes aggie nessie ines
albert al bert bertie alberto albrecht
alexander alex alec sandy xander sasha alejandro alessandro alexandre alexandra lexi sandra alexis
alfred alf alfie fred freddie alfredo
alice ali alicia
amanda mandy
amelia amy millie
andrew andy drew andres andre andrea andreas
angela angie
ann anne anna annie nan nancy hannah ana anita annette
anthony tony antonio antoine anton antony
archibald archie
arthur art artie arturo
augustus gus august augusto
barbara barb babs barbie
bartholomew bart
beatrice bea trixie beatriz
benjamin ben benny benjy
bernard bernie barney bernardo bernhard
beverley bev
bradley brad
bridget bridie biddy
calvin cal
cameron cam
carol caroline carrie lina carolina karoline
catherine cathy kate katie kathleen kathy kitty katherine kathryn cath kat katharine catalina katharina karen kay cate
cecilia cissie celia
charles charlie chuck chas carlos karl carl chaz charley
charlotte lottie carlotta
christina chris chrissie tina christine cristina christiane
christian chris cristian
christopher chris kit topher cristobal christoph kristofer
clara claire clare
clarence clarrie
claude claudio claudius
clifford cliff
constance connie constanza
cornelius neil corny
cynthia cindy
daniel dan danny daniele danielle
david dave davy davey davide
deborah deb debbie debra
dennis den denny
diana di diane
dominic dom nick domingo
donald don donnie
dorothy dot dottie dolly dora dorothea
douglas doug dougie
edith edie
edmund ed eddie ned ted
edward ed eddie ned ted teddy eduardo edouard eduard
edwin ed eddie ned
eleanor ellie nell nellie ella lena leonor leonora nora
elizabeth liz lizzie beth betty bess bessie eliza libby elsie lisa betsy isabel isabella isabelle elisabeth lily lilian
ellen nell nellie helen helena elena eleni
emily em emmie millie
emma em emmie
ernest ernie ernesto ernst
esther hettie essie ester
eugene gene eugenio
evelyn eve evie
ezekiel zeke
florence flo florrie flossie
frances fran fanny francie frankie francesca francisca franziska
francis frank frankie fran francisco francesco francois franz paco
franklin frank frankie
frederick fred freddie freddy fritz federico friedrich frederic
gabriel gabe gabriele gabriela gabrielle gaby
geoffrey geoff jeff jeffrey
george georgie jorge jurgen giorgio georg georges jordi
gerald gerry jerry gerard gerardo gerhard
gertrude gertie trudy
gilbert gil bert gilberto
gordon gordie
grace gracie
gregory greg gregorio gregor
guy guido
harold harry hal harald
harriet hattie harriette
harrison harry
helen nell nellie elena helene
henry harry hal hank enrique heinrich henri enrico
herbert herb bert bertie heribert
hilary hil
horace horatio
hubert hugh bert huberto
hugh hughie hugo
humphrey humph
ignatius iggy ignacio nacho
isaac ike zac isaak
isabel bel bella isobel ysabel
jacob jake jakob jacobo
jacqueline jackie
james jim jimmy jamie jem jaime jacques santiago diego jimmie
jane janet jenny jean janie juana jeanne
jasmine jas
jason jay
jeremiah jerry jem
jeremy jerry jez
jessica jess jessie
joan joanie joanna joanne jo juana johanna
john jack johnny jon ian sean ivan juan jean johann johannes hans giovanni joao jonny jackie johnnie
jonathan jon jonny nathan john
joseph joe joey jos jose josef giuseppe pepe joseba jo
josephine jo josie
joshua josh
judith judy jude
julia jill julie jule
julian jules julio julien julius
katherine kate
kenneth ken kenny
laura laurie lori
lawrence larry laurie lorenzo laurent lars laurence lorenz
leonard len lenny leo leonardo leonhard
leslie les
lewis lew louis luis ludwig lou louie luigi
lillian lily lil lilian
louisa lou louise luisa luise
lucy lucia lucie lucinda
lydia lyddie
madeleine maddie maddy magdalena lena madeline
malcolm mal
marcus mark marcos marc marco markus
margaret maggie meg peggy daisy madge margie greta marge rita margarita marguerite margarethe peg margot
maria mary marie mia miriam maria
marjorie marge margie
martha mattie patty marta
martin marty martino
mary molly polly mae maria marie may minnie mamie
matilda tilly mattie maud tillie
matthew matt matty mateo mathieu matthias matteo
maurice morris mo moritz mauricio
maximilian max maxi
megan meg
melanie mel
melissa mel missy
michael mike mick mickey micky miguel michel mikael mitch miguelangel
michelle shelly
mildred millie
montague monty
nathaniel nat nate nathan
nathan nat nate
nicholas nick nicky nico nicolas klaus nikolaus nicola colin nicolai
nicole nicky nikki
nigel nige
norman norm
oliver ollie olly olivier
olivia liv livvy
oscar oskar ossie
oswald ozzie os
pamela pam
patricia pat patty tricia trish patsy
patrick pat paddy rick patricio
paul pablo paolo pauli paulo
peter pete pedro pierre petr pietro
philip phil pip felipe philippe phillip
phyllis phyl
priscilla cilla prissy
rachel rae raquel shelly
ralph rafe ralf
randolph randy
raymond ray ramon raimundo
rebecca becky becca beck
reginald reg reggie rex
richard dick rich rick ricky dickie ricardo richie
robert bob bobby rob robbie bert robin roberto rupert bobbie
roderick rod roddy rodrigo
rodney rod
roger rog rodger rogelio
roland rolly rollo orlando
ronald ron ronnie
rosemary rose rosie romy
rose rosa rosie rosalind roz
rudolph rudy rolf rodolfo
russell russ
samantha sam sammy
samuel sam sammy
sarah sally sadie sara
sebastian seb bastian
sidney sid sydney
simon sim simone
sophia sophie sofia
stanley stan
stephanie steph steffi
stephen steve steven stevie esteban stefan etienne stefano stephan
stewart stu stuart
susan sue susie suzy susanna suzanne susana
sylvia sylvie silvia
teresa terry tess theresa tessa tracy therese
terence terry
theodore ted teddy theo teodoro theodor
thomas tom tommy tomas thom
timothy tim timmy timoteo
tobias toby
ursula ursel
valentine val
valerie val
veronica vera ronnie
victor vic vick viktor
victoria vicky vick tori vikki
vincent vince vinny vicente vincenzo
violet vi
virginia ginny ginger
walter wally walt gualterio
wilfred wilf fred wilfrid
wilhelmina mina minnie willa
william bill billy will willy willie liam guillermo wilhelm guillaume guglielmo
winifred winnie freda
zachary zach zack zac
";

/// The names that are known, and the lines on which each stands.
pub(super) struct Nicknames {
    lines: HashMap<&'static [u8], Vec<u16>>,
}

impl Nicknames {
    pub(super) fn new() -> Self {
        let mut lines: HashMap<&'static [u8], Vec<u16>> = HashMap::new();
        for (line, forms) in FORMS.lines().enumerate() {
            for form in forms.split_whitespace() {
                lines.entry(form.as_bytes()).or_default().push(line as u16);
            }
        }
        Self { lines }
    }

    /// The lines on which a name stands. Two names stand for each other where they share one.
    pub(super) fn lines(&self, name: &[u8]) -> &[u16] {
        self.lines.get(name).map_or(&[], Vec::as_slice)
    }
}
