using Streaming.Formats.Mapping;
using Xunit;

namespace Streaming.Formats.Tests.Mapping;

public class FieldMapTests
{
    [Fact]
    public void Parse_EverySourceOfAValue_IsTold()
    {
        var map = FieldMap.Parse(
            "user=after.user.id,item=lines[].\"sku.no\",type=:order placed,time=$timestamp,id=$header.ce_id,value=\"a \"\"b\"\"\""
        );

        Assert.Equal(["after", "user", "id"], map[FieldRole.User]!.Steps.Select(step => step.Name));
        Assert.Equal(["lines", "sku.no"], map[FieldRole.Item]!.Steps.Select(step => step.Name));
        Assert.Equal(["lines"], map.List.Select(step => step.Name));
        Assert.Equal((FieldSource.Constant, "order placed"), (map[FieldRole.Type]!.Source, map[FieldRole.Type]!.Text));
        Assert.Equal(FieldSource.Timestamp, map[FieldRole.Time]!.Source);
        Assert.Equal((FieldSource.Header, "ce_id"), (map[FieldRole.Id]!.Source, map[FieldRole.Id]!.Text));
        Assert.Equal(["a \"b\""], map[FieldRole.Value]!.Steps.Select(step => step.Name));
        Assert.Null(map[FieldRole.Dwell]);
    }

    [Theory]
    [InlineData("user=0,item=1,time=3", true)]
    [InlineData("user=0,item=1,type=:view,time=3", true)]
    [InlineData("user=0,item=name,time=3", false)]
    [InlineData("user=a,item=b,time=c", false)]
    public void IsPositional_OnlyNumbers_MeansNoHeader(string text, bool expected) =>
        Assert.Equal(expected, FieldMap.Parse(text).IsPositional);

    [Theory]
    [InlineData("", "is not name=path")]
    [InlineData("user", "'user' in 'user' is not name=path")]
    [InlineData("user=a", "lacks the item; add item=…")]
    [InlineData("user=a,item=b,", "ends with a comma")]
    [InlineData(
        "user=a,item=b,usr=c",
        "'usr' in 'user=a,item=b,usr=c' is not a field of an event; allowed: user, item, type, time, id, value, dwell, title"
    )]
    [InlineData("user=a,item=b,0=c", "'0' in")]
    [InlineData("user=a,user=b,item=c", "'user' is given twice")]
    [InlineData("user=a..b,item=c", "'a..b' in 'user=a..b,item=c' is not a path")]
    [InlineData("user=$offset,item=c", "'$offset' in")]
    [InlineData("user=$header.,item=c", "'$header.' in")]
    [InlineData("user=\"a,item=c", "double quote that is not closed")]
    [InlineData("user=\"a\"b,item=c", "is not a path")]
    [InlineData("user=a[0],item=c", "is not a path")]
    [InlineData("user=a[].b[].c,item=c", "has two lists")]
    [InlineData("user=a[].b,item=c[].d", "leads into different lists")]
    public void Parse_WrongText_NamesThePartAndWhatIsAllowed(string text, string expected) =>
        Assert.Contains(expected, Assert.Throws<FieldMapException>(() => FieldMap.Parse(text)).Message, StringComparison.Ordinal);
}
