namespace Streaming.Formats.Mapping;

/// <summary>What a field of a record is to an event. The names, in lower case, are those of a mapping.</summary>
public enum FieldRole
{
    /// <summary>Who.</summary>
    User,

    /// <summary>With what.</summary>
    Item,

    /// <summary>What happened: "view", "purchase", ….</summary>
    Type,

    /// <summary>When.</summary>
    Time,

    /// <summary>The event's own id.</summary>
    Id,

    /// <summary>How much: price, rating, ….</summary>
    Value,

    /// <summary>For how long, in milliseconds.</summary>
    Dwell,

    /// <summary>The item's title; files only.</summary>
    Title,
}
