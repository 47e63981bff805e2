namespace Streaming.Lab.Demo.Report;

/// <summary>Prequential quality: all examples, and apart those where the item was new to the user, a repeat, or in its first day, and
/// those of users without a history.</summary>
internal record Quality(double Recall20, double Ndcg20, double NewItemsRecall20, double NewItemsNdcg20, double RepeatsRecall20, double KnownUsersNewItemsRecall20, double NewUsersRecall20, double FirstDayItemsRecall20, long Examples);
