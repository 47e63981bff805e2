using System.Collections.Concurrent;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Streaming.Worker.Settings;

/// <summary>Summaries of members, from the documentation files that the build writes beside the assemblies.</summary>
internal static partial class XmlDocumentation
{
    private static readonly ConcurrentDictionary<Assembly, Dictionary<string, string>> Files = new();

    /// <summary>The first paragraph of a member's doc comment as one line of Markdown; empty when there is none.</summary>
    public static string Summary(MemberInfo member)
    {
        ArgumentNullException.ThrowIfNull(member);
        char kind = member switch
        {
            PropertyInfo => 'P',
            FieldInfo => 'F',
            Type => 'T',
            _ => 'M',
        };
        string owner = member is Type type ? type.FullName! : $"{member.DeclaringType!.FullName}.{member.Name}";
        Assembly assembly = (member as Type ?? member.DeclaringType!).Assembly;
        return Files.GetOrAdd(assembly, Read).GetValueOrDefault($"{kind}:{owner.Replace('+', '.')}", string.Empty);
    }

    private static Dictionary<string, string> Read(Assembly assembly)
    {
        string path = Path.ChangeExtension(assembly.Location, ".xml");
        return File.Exists(path)
            ? XDocument
                .Load(path)
                .Descendants("member")
                .ToDictionary(
                    member => (string)member.Attribute("name")!,
                    member => Flatten(member.Element("summary")),
                    StringComparer.Ordinal
                )
            : [];
    }

    private static string Flatten(XElement? summary) =>
        summary is null ? string.Empty : Spaces().Replace(string.Concat(summary.Nodes().Select(Text)), " ").Trim();

    private static string Text(XNode node) =>
        node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "see" or "seealso" } reference => "`"
                + ((string?)reference.Attribute("langword") ?? Last((string?)reference.Attribute("cref")))
                + "`",
            XElement { Name.LocalName: "c" } code => "`" + code.Value + "`",
            XElement { Name.LocalName: "paramref" } name => "`" + (string?)name.Attribute("name") + "`",
            XElement other => string.Concat(other.Nodes().Select(Text)),
            _ => string.Empty,
        };

    private static string Last(string? reference) => reference is null ? string.Empty : reference[(reference.LastIndexOf('.') + 1)..];

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
