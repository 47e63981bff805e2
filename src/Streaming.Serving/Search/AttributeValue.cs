namespace Streaming.Serving.Search;

/// <summary>A value of an attribute of texts.</summary>
/// <param name="Text">The value.</param>
/// <param name="Items">The number of items that have it.</param>
public readonly record struct AttributeValue(string Text, int Items);
