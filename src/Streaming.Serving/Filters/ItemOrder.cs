namespace Streaming.Serving.Filters;

/// <summary>An order of items that does not depend on a query.</summary>
internal enum ItemOrder
{
    /// <summary>By number of events, the most first; an item without an event is left out.</summary>
    Popular,

    /// <summary>By popularity of late, the most first; an item without an event is left out.</summary>
    Recent,

    /// <summary>By when an item became known, the latest first; one of unknown age is left out.</summary>
    Latest,
}
