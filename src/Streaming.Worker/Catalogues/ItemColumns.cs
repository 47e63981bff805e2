using System.CommandLine;
using Streaming.Formats.Mapping;

namespace Streaming.Worker.Catalogues;

/// <summary>The option --item-columns of the commands that read item files.</summary>
public sealed class ItemColumns
{
    /// <summary>Creates the option with its checks.</summary>
    /// <param name="items">The option that names the files.</param>
    public ItemColumns(Option items)
    {
        ArgumentNullException.ThrowIfNull(items);
        Option.Validators.Add(result =>
        {
            if (result.GetResult(items) is null)
            {
                result.AddError($"{Option.Name}: there are no item files; add {items.Name}.");
            }

            try
            {
                _ = Parse(result.GetValueOrDefault<string?>());
            }
            catch (FieldMapException exception)
            {
                result.AddError($"{Option.Name}: {exception.Message}");
            }
        });
    }

    /// <summary>Gets the option, for adding to a command.</summary>
    public Option<string?> Option { get; } =
        new("--item-columns")
        {
            Description =
                "Field mapping of item files with other field names; only what it names is read: item=sku,title=name,brand=maker.name,"
                + "text=embedding (by number without a header: item=0,title=1). A list of numbers is a feature group, anything else text "
                + "that STREAMING__Items__Attributes and STREAMING__Model__FeatureGroups can name.",
            HelpName = "NAME=PATH,…",
        };

    /// <summary>Reads the parsed value; null: there is no mapping.</summary>
    public ItemMap? Read(ParseResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return Parse(result.GetValue(Option));
    }

    private static ItemMap? Parse(string? text) => text is null ? null : ItemMap.ParseOfFiles(text);
}
