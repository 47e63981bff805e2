namespace Streaming.Lab.Demo.Report;

/// <summary>Prequential quality at a width.</summary>
internal sealed record WidthQuality(
    int Width,
    double Recall20,
    double Ndcg20,
    double NewItemsRecall20,
    double NewItemsNdcg20,
    double RepeatsRecall20,
    double KnownUsersNewItemsRecall20,
    double NewUsersRecall20,
    double FirstDayItemsRecall20,
    long Examples
)
    : Quality(
        Recall20,
        Ndcg20,
        NewItemsRecall20,
        NewItemsNdcg20,
        RepeatsRecall20,
        KnownUsersNewItemsRecall20,
        NewUsersRecall20,
        FirstDayItemsRecall20,
        Examples
    );
