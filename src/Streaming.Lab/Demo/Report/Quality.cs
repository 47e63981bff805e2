namespace Streaming.Lab.Demo.Report;

/// <summary>Prequential quality over all examples, and separately over items new to the user, repeats, items in their first day, and
/// users without a history.</summary>
internal record Quality(
    double Recall20,
    double Ndcg20,
    double NewItemsRecall20,
    double NewItemsNdcg20,
    double RepeatsRecall20,
    double KnownUsersNewItemsRecall20,
    double NewUsersRecall20,
    double FirstDayItemsRecall20,
    long Examples
);
