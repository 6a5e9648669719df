using System.Text;
using Mesh.Grains.Objects;
using Xunit;

namespace Mesh.Grains.Tests.Objects;

public class DocumentSpliceTests
{
    [Theory]
    [InlineData("""{"kind":"Pod","spec":{"status":1},"status":{"phase":"Old","deep":[{"status":2}]},"x":"ü"}""", """{"kind":"Pod","spec":{"status":1},"status":"new","x":"ü"}""")]
    [InlineData("""{ "status" : null , "kind":"Pod" }""", """{ "status" : "new" , "kind":"Pod" }""")]
    [InlineData("""{"kind":"Pod","spec":{"status":1}}""", """{"kind":"Pod","spec":{"status":1},"status":"new"}""")]
    public void One_member_has_another_value_and_all_else_stays_byte_for_byte(string before, string after) =>
        Assert.Equal(after, Encoding.UTF8.GetString(DocumentSplice.Replace(Encoding.UTF8.GetBytes(before), "status"u8, "new", static (writer, value) => writer.WriteStringValue(value)).Span));
}
