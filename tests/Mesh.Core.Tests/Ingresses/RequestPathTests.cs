using Mesh.Core.Ingresses;
using Xunit;

namespace Mesh.Core.Tests.Ingresses;

public class RequestPathTests
{
    [Theory]
    [Trait("Row", "ING-N01")]
    [InlineData("/public/../admin")]
    [InlineData("/public/%2e%2e/admin")]
    [InlineData("/public/.%2E/admin")]
    [InlineData("/..")]
    [InlineData("/a/.")]
    [InlineData("/./a")]
    [InlineData("/a/..%2Fadmin")]
    [InlineData("/a/x%2f..")]
    public void A_dot_segment_is_refused_plain_or_encoded(string path) => Assert.Equal(RequestPathProblem.DotSegment, RequestPath.Check(path));

    [Theory]
    [Trait("Row", "ING-N05")]
    [InlineData("/a%zz")]
    [InlineData("/a%")]
    [InlineData("/a%4")]
    public void A_percent_sign_wants_two_digits(string path) => Assert.Equal(RequestPathProblem.BadPercentEncoding, RequestPath.Check(path));

    [Theory]
    [Trait("Row", "ING-N06")]
    [Trait("Row", "ING-N08")]
    [InlineData("/%00")]
    [InlineData("/a\u0001")]
    [InlineData("/a b")]
    [InlineData("/ä")]
    [InlineData("/\u007f")]
    public void NUL_controls_and_non_ASCII_are_refused(string path) => Assert.Equal(RequestPathProblem.ControlOrNonAscii, RequestPath.Check(path));

    [Theory]
    [Trait("Row", "ING-N07")]
    [Trait("Row", "ING-N12")]
    [InlineData("/")]
    [InlineData("/a%2Fb")]
    [InlineData("/...")]
    [InlineData("/.well-known/x")]
    [InlineData("/a..b/..c")]
    [InlineData("/a;x=1/..;/b")]
    [InlineData("/a\\..\\b")]
    [InlineData("/\"[]{}|^")]
    public void Other_paths_pass(string path) => Assert.Null(RequestPath.Check(path));
}
