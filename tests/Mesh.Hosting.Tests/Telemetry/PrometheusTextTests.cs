using Mesh.Hosting.Telemetry;
using Xunit;

namespace Mesh.Hosting.Tests.Telemetry;

public sealed class PrometheusTextTests
{
    [Fact]
    public void Samples_of_one_metric_stand_together_under_the_header_of_the_first_page()
    {
        const string first = """
            # TYPE a_total counter
            # HELP a_total Of a.
            a_total{process="one"} 1
            a_total{process="one",b="# TYPE"} 2

            # TYPE only_one gauge
            only_one{process="one"} 3
            # EOF

            """;
        const string second = """
            # TYPE only_two histogram
            # UNIT only_two seconds
            only_two_bucket{process="two",le="+Inf"} 4
            only_two_sum{process="two"} 5
            # HELP a_total Said otherwise.
            # TYPE a_total counter
            a_total{process="two"} 6
            """;

        Assert.Equal(
            """
            # TYPE a_total counter
            # HELP a_total Of a.
            a_total{process="one"} 1
            a_total{process="one",b="# TYPE"} 2
            a_total{process="two"} 6
            # TYPE only_one gauge
            only_one{process="one"} 3
            # TYPE only_two histogram
            # UNIT only_two seconds
            only_two_bucket{process="two",le="+Inf"} 4
            only_two_sum{process="two"} 5

            """,
            PrometheusText.Merge(first, second));
    }

    [Fact]
    public void No_page_is_an_empty_page() => Assert.Equal("", PrometheusText.Merge("", ""));
}
