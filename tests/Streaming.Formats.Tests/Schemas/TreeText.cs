using System.Globalization;
using System.Text;
using Streaming.Formats.Records;

namespace Streaming.Formats.Tests.Schemas;

/// <summary>A tree as a line of text, for tests: {a:1,b:[x,y],t:@5,n:null}.</summary>
internal static class TreeText
{
    public static string Of(RecordTree tree)
    {
        var text = new StringBuilder();
        Add(text, tree.Root);
        return text.ToString();
    }

    private static void Add(StringBuilder text, RecordValue value)
    {
        switch (value.Kind)
        {
            case ValueKind.Fields or ValueKind.List:
                text.Append(value.Kind == ValueKind.List ? '[' : '{');
                for (RecordValue child = value.First; child.Kind != ValueKind.Missing; child = child.Next)
                {
                    text.Append(text[^1] is '[' or '{' ? string.Empty : ",");
                    text.Append(value.Kind == ValueKind.List ? string.Empty : Encoding.UTF8.GetString(child.Name) + ":");
                    Add(text, child);
                }

                text.Append(value.Kind == ValueKind.List ? ']' : '}');
                break;
            case ValueKind.Time or ValueKind.LocalTime:
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"@{(value.Kind == ValueKind.LocalTime ? "local " : string.Empty)}{value.Milliseconds}"
                );
                break;
            case ValueKind.Null:
                text.Append("null");
                break;
            default:
                text.Append(Encoding.UTF8.GetString(value.Text));
                break;
        }
    }
}
