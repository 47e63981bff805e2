namespace Streaming.Formats.Mapping;

/// <summary>The role of a record's field in an event. A mapping uses the names in lower case.</summary>
public enum FieldRole
{
    /// <summary>The user.</summary>
    User,

    /// <summary>The item.</summary>
    Item,

    /// <summary>The event type: "view", "purchase", ….</summary>
    Type,

    /// <summary>The event time.</summary>
    Time,

    /// <summary>The event's own id.</summary>
    Id,

    /// <summary>The value: price, rating, ….</summary>
    Value,

    /// <summary>The dwell time in milliseconds.</summary>
    Dwell,

    /// <summary>The item's title; files only.</summary>
    Title,
}
