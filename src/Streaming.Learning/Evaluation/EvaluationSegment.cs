namespace Streaming.Learning.Evaluation;

/// <summary>Part of the examples that is measured apart: numbers over all of them hide which kind a model is good at.</summary>
public enum EvaluationSegment
{
    /// <summary>Every example.</summary>
    All,

    /// <summary>The item was not in what is kept of the user's history (STREAMING__History__Length items): a discovery. The main figure.</summary>
    NewItems,

    /// <summary>The item was in it already.</summary>
    Repeats,

    /// <summary>The user had a history before the event.</summary>
    KnownUsers,

    /// <summary>The user had none: only popularity and the start vector can help.</summary>
    NewUsers,

    /// <summary>New items of known users: what personalisation is about.</summary>
    NewItemsOfKnownUsers,

    /// <summary>The item's first event was less than a day before, or this is it: what a nightly job has not seen.</summary>
    ItemsInFirstDay,

    /// <summary>The event came after a drift that was planted into a recorded stream.</summary>
    AfterDrift,
}
