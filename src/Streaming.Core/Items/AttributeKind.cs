namespace Streaming.Core.Items;

/// <summary>What the values of an attribute are.</summary>
public enum AttributeKind
{
    /// <summary>One text.</summary>
    Text,

    /// <summary>A list of texts, such as tags.</summary>
    Texts,

    /// <summary>A number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Boolean,
}
