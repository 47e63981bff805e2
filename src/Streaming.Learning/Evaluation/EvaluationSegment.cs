namespace Streaming.Learning.Evaluation;

/// <summary>Subset of the examples that is measured separately: an overall number hides which kind a model is good at.</summary>
public enum EvaluationSegment
{
    /// <summary>Every example.</summary>
    All,

    /// <summary>The item was not in the user's stored history (STREAMING__History__Length items): a discovery. The main figure.</summary>
    NewItems,

    /// <summary>The item was in the user's stored history.</summary>
    Repeats,

    /// <summary>The user had a history before the event.</summary>
    KnownUsers,

    /// <summary>The user had no history: only popularity and the start vector can help.</summary>
    NewUsers,

    /// <summary>New items of known users: the purpose of personalisation.</summary>
    NewItemsOfKnownUsers,

    /// <summary>The item's first event was less than a day ago, or is this one: unseen by a nightly job.</summary>
    ItemsInFirstDay,

    /// <summary>The event came after an artificial drift in a recorded stream.</summary>
    AfterDrift,
}
