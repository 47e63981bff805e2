using System.Globalization;
using System.Text;
using Streaming.Formats.Records;

namespace Streaming.Formats.Mapping;

/// <summary>One name of a field's path.</summary>
public sealed class PathStep
{
    private readonly byte[] _name;
    private readonly byte[] _normal;
    private readonly int _place;

    internal PathStep(string name, bool isList)
    {
        Name = name;
        IsList = isList;
        _name = Encoding.UTF8.GetBytes(name);
        Span<byte> normal = stackalloc byte[FieldName.MaxLength];
        _normal = normal[..FieldName.Normalise(_name, normal)].ToArray();
        _place = int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int place) ? place : -1;
    }

    /// <summary>Gets the name.</summary>
    public string Name { get; }

    /// <summary>Gets a value indicating whether the value is a list whose elements are events.</summary>
    public bool IsList { get; }

    /// <summary>Whether this matches a field of a schema, exactly or normalised.</summary>
    public bool IsNamed(string name) => name == Name || (_normal.Length > 0 && FieldName.Matches(Encoding.UTF8.GetBytes(name), _normal));

    /// <summary>The value of that name in an object, exact or else normalised (<see cref="FieldName"/>); in a list the one at
    /// that index.</summary>
    public RecordValue Find(RecordValue parent)
    {
        if (_name.Length == 0)
        {
            return parent;
        }

        if (parent.Kind == ValueKind.List)
        {
            return _place < 0 ? default : parent.At(_place);
        }

        RecordValue exact = parent.Find(_name);
        if (exact.Kind != ValueKind.Missing || parent.Kind != ValueKind.Fields)
        {
            return exact;
        }

        for (RecordValue child = parent.First; child.Kind != ValueKind.Missing; child = child.Next)
        {
            if (FieldName.Matches(child.Name, _normal))
            {
                return child;
            }
        }

        return default;
    }
}
