namespace Streaming.Worker;

/// <summary>Prequential quality: all examples, and those where the item was new to the user or a repeat, apart.</summary>
internal record Quality(double Recall20, double Ndcg20, double NewItemsRecall20, double NewItemsNdcg20, double RepeatsRecall20, double KnownUsersNewItemsRecall20, long Examples);
