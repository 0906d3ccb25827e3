//! Names that need quotes.

use arrow::array::{ArrayRef, StringArray};

use super::*;
use crate::{Column, ColumnType, Index, Unique};

#[tokio::test]
async fn any_name_works_on_both_sides() {
    let odd = ["select", "two words", "Mixed Case", "quo\"te", "it's", "naïve", "a.b", "t", "semi;colon"];
    let fixture = Fixture::empty().await;
    let target = fixture.store.target().await.unwrap();
    target.prepare().await.unwrap();
    for name in odd {
        let name = format!("{name} table");
        let columns = odd.iter().map(|c| Column::new(*c, ColumnType::TEXT)).collect();
        let mut table = Table::new(TableName::bare(&name), columns);
        table.primary_key = vec!["quo\"te".into()];
        table.uniques = vec![Unique { name: None, columns: vec!["it's".into(), "a.b".into()] }];
        table.indexes = vec![Index {
            name: format!("{name} index"),
            columns: vec!["two words".into()],
            unique: false,
            definition: None,
        }];
        target.create(&table).await.unwrap();
        let made = fixture.table(&name).await;
        let array: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
        let batch = RecordBatch::try_from_iter(odd.iter().map(|c| (*c, Arc::clone(&array)))).unwrap();
        let mut load = target.begin(spec(&made, "0")).await.unwrap();
        load.write(batch.clone()).await.unwrap();
        load.write(batch).await.unwrap();
        let refused = load.settle().await.unwrap();
        assert_eq!(refused.len(), 1);
        load.commit(&receipt(&name, "0", "{}")).await.unwrap();
        target.complete(&table).await.unwrap();
        let made = fixture.table(&name.to_ascii_uppercase()).await;
        assert_eq!(made.name.name, name);
        assert_eq!(made.primary_key, ["quo\"te"]);
        assert_eq!(made.uniques[0].columns, ["it's", "a.b"]);
        assert_eq!(made.indexes[0].columns, ["two words"]);
        assert_eq!(fixture.read(&name).await.rows(), 1);
    }
    assert_eq!(fixture.store.tables().await.unwrap().len(), odd.len());
}
