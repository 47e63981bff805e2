using System.Text;
using Parquet.Schema;
using Streaming.Formats.Records;

namespace Streaming.Formats.Columnar;

/// <summary>A requested field of a Parquet schema, with the requested fields below it: reassembles rows from their columns.</summary>
internal sealed class ParquetNode
{
    private readonly byte[] _name;
    private readonly Field _field;
    private readonly List<ParquetNode> _children = [];
    private ParquetColumn? _column;

    /// <summary>Creates the node of a field.</summary>
    /// <param name="field">The field.</param>
    /// <param name="isWanted">Whether a leaf is requested, by its path without the names that lists add.</param>
    public ParquetNode(Field field, Func<string[], bool> isWanted)
        : this(field, [field.Name], isWanted) { }

    private ParquetNode(Field field, string[] path, Func<string[], bool> isWanted)
    {
        _field = field;
        _name = path.Length == 0 ? [] : Encoding.UTF8.GetBytes(path[^1]);
        switch (field)
        {
            case StructField group:
                AddWanted(group.Fields.Select(child => new ParquetNode(child, [.. path, child.Name], isWanted)));
                break;
            case ListField list:
                // The element itself has no name: its contents are below the list.
                ParquetNode item = new(list.Item, path, isWanted);
                AddWanted([item]);
                break;
            case DataField { MaxRepetitionLevel: <= 1 } leaf when isWanted(path):
                Leaf = leaf;
                break;
        }
    }

    /// <summary>Gets the column, if this is a leaf.</summary>
    public DataField? Leaf { get; }

    /// <summary>Gets the columns below, or this one.</summary>
    public IEnumerable<ParquetNode> Leaves => Leaf is null ? _children.SelectMany(static child => child.Leaves) : [this];

    /// <summary>Sets a row group's values.</summary>
    public void Set(ParquetColumn column) => _column = column;

    /// <summary>Adds this field's values of the current row, and advances to the next row.</summary>
    public void AddRow(RecordTree tree) => Add(tree, tree.Append(_name), isElement: false);

    private void AddWanted(IEnumerable<ParquetNode> children) => _children.AddRange(children.Where(static child => child.Leaves.Any()));

    private void Add(RecordTree tree, TextRange name, bool isElement)
    {
        if (_field is ListField || (!isElement && Leaf is { MaxRepetitionLevel: > 0 } && _field is DataField { IsArray: true }))
        {
            AddList(tree, name);
        }
        else if (Leaf is not null)
        {
            _column!.Add(tree, name);
            _column.Next();
        }
        else
        {
            AddStruct(tree, name);
        }
    }

    private void AddStruct(RecordTree tree, TextRange name)
    {
        // Null is visible in the columns below: they are not defined down to this field.
        if (_field.IsNullable && Leaves.First()._column!.Definition < _field.MaxDefinitionLevel)
        {
            tree.AddNull(name);
            Skip();
            return;
        }

        tree.StartObject(name);
        foreach (ParquetNode child in _children)
        {
            child.Add(tree, tree.Append(child._name), isElement: false);
        }

        tree.End();
    }

    private void AddList(RecordTree tree, TextRange name)
    {
        ParquetColumn first = Leaves.First()._column!;
        ParquetNode element = _field is ListField ? _children[0] : this;

        // Below this level there is no element: the list is null or empty.
        int defined = element._field.MaxDefinitionLevel - (element._field.IsNullable ? 1 : 0);
        if (first.Definition < defined)
        {
            tree.AddNull(name);
            Skip();
            return;
        }

        tree.StartList(name);
        do
        {
            element.Add(tree, default, isElement: true);
        } while (first.IsInRow);
        tree.End();
    }

    private void Skip()
    {
        foreach (ParquetNode leaf in Leaves)
        {
            leaf._column!.Next();
        }
    }
}
