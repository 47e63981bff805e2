using Streaming.Core.Options;

namespace Streaming.Core.Items;

/// <summary>What is published of an item in addition to its embedding.</summary>
public sealed record ItemOptions
{
    /// <summary>The most attributes.</summary>
    public const int MaxAttributes = 32;

    /// <summary>
    /// Gets the fields of item records by which serving tiers filter, as `category,tags[],price:number,available:boolean`: a text, a list
    /// of texts, a number, true or false; in a text of a list, | separates values. Up to 32. An attribute that is added is known of the
    /// items whose records are read from then on.
    /// </summary>
    public IReadOnlyList<AttributeDefinition> Attributes { get; init; } = [];

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Check(
            Attributes.Count <= MaxAttributes
                && Attributes.Select(static attribute => attribute.Name).Distinct(StringComparer.Ordinal).Count() == Attributes.Count,
            nameof(Attributes),
            Attributes,
            $"up to {MaxAttributes} names that differ"
        );
        errors.Throw();
    }
}
