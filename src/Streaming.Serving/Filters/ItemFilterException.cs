namespace Streaming.Serving.Filters;

/// <summary>A filter, a boost or a cap that cannot be used: names the field, the value and what is allowed.</summary>
public sealed class ItemFilterException : ArgumentException
{
    /// <summary>Initializes a new instance of the <see cref="ItemFilterException"/> class.</summary>
    public ItemFilterException(string message)
        : base(message) { }
}
