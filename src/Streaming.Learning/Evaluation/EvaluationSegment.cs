namespace Streaming.Learning;

/// <summary>Part of the examples that is measured apart: numbers over all of them hide which kind a model is good at.</summary>
public enum EvaluationSegment
{
    /// <summary>Every example.</summary>
    All,

    /// <summary>The item was not in the user's history: a discovery. The main figure.</summary>
    NewItems,

    /// <summary>The item was in the user's history already.</summary>
    Repeats,

    /// <summary>The user had a history before the event.</summary>
    KnownUsers,

    /// <summary>The user had none: only popularity and the start vector can help.</summary>
    NewUsers,

    /// <summary>New items of known users: what personalisation is about.</summary>
    NewItemsOfKnownUsers,
}
