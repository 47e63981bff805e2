namespace Streaming.Lab.Backtest;

/// <summary>How a model is evaluated on files.</summary>
internal enum BacktestProtocol
{
    /// <summary>Each user's last item is the test target.</summary>
    LeaveOneOut,

    /// <summary>8 : 1 : 1 of the users; test users are not seen in training (ComiRec).</summary>
    UserSplit,

    /// <summary>The last tenth of the events is the test set.</summary>
    TimeSplit,

    /// <summary>A stream: every event is ranked, then trained on.</summary>
    Prequential,
}
