package retriage;

import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletResponse;
import org.camunda.bpm.engine.impl.util.ClockUtil;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** With --reference.clock-ahead=SECONDS the engine's clock, and the Date of its answers, are so far ahead. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnProperty("reference.clock-ahead")
public class TurnedClock {

  @Bean
  FilterRegistrationBean<Filter> date(@Value("${reference.clock-ahead}") long seconds) {
    ClockUtil.offset(seconds * 1000);
    return new FilterRegistrationBean<>((request, response, chain) -> {
      ((HttpServletResponse) response).setDateHeader("Date", ClockUtil.getCurrentTime().getTime());
      chain.doFilter(request, response);
    });
  }
}
